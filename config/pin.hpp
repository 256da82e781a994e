// A configuration as text: what a run is pinned to, and what is read back when the run goes on in another process.
#pragma once

#include "config/settings.hpp"
#include "messages/base/json_text.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A whole troupe.toml with every key, from which load_config makes equal settings. Agents are whole, without the name
/// of the adapter that they began from: it may be another one when the run goes on. Stored with runs: what one version
/// writes, every later version reads.
std::string to_toml(const settings& values);

/// The same of a run whose agents are not asked: their answers are played from this folder. load_config reads it as the
/// other.
std::string to_toml(const settings& values, const std::string& played_from);

/// The folder that a pinned configuration was written with; none of a run that asks its agents.
std::optional<std::string> played_from(std::string_view pinned);

/// The same as one JSON object: durations and sizes as in the file, tables nested, keys sorted.
json_text canonical_json(const settings& values);

/// `sha256:` and the hex digest of canonical_json.
std::string config_hash(const settings& values);

}  // namespace troupe
