// How the rules by which an agent's output is read stand in TOML: see docs/adapters.md.
#pragma once

#include "config/setting_key.hpp"
#include "messages/recognition.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace troupe {

/// A pointer, or `{ path | only_key, each, where = { path, eq | in | exists }, line }`.
bool read_setting(value_source& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// `{ input, output, model }`; input and output one source or a list of them.
bool read_setting(usage_sources& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// A list of `{ exit, path, eq | in | exists, from, code, message, retry_after }`.
bool read_setting(std::vector<failure_rule>& into, const setting_facts&, const toml_value_ref&, const path_context&);

toml_node write_setting(const value_source& value);
toml_node write_setting(const usage_sources& value);
toml_node write_setting(const std::vector<failure_rule>& value);

/// What an attempt of an agent may fail with by a rule.
std::span<const error_code> codes_of_failures() noexcept;

}  // namespace troupe
