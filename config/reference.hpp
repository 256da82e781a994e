// What there is to set, for people and for programs. Everything here is made from the key tables.
#pragma once

#include "config/load.hpp"
#include "messages/base/json_text.hpp"

#include <string>
#include <vector>

namespace troupe {

/// One line of `troupe config show`.
struct shown_setting {
  std::string key;     ///< `writer.max_batch`, `agents.claude.command`.
  std::string value;   ///< As one writes it in the file.
  json_text json;      ///< The same for programs; durations and sizes are strings with units.
  std::string origin;  ///< As in loaded_config::origins.
};

/// Every key with its value and where that came from: the key table's order, then what was set of adapters, then agents by
/// name. `config.values` is
/// set.
std::vector<shown_setting> show_settings(const loaded_config& config);

/// The keys of an adapter that say something, in the order of the key table; they have no origin.
std::vector<shown_setting> show_adapter(const agent_spec& adapter);

/// A JSON Schema (draft 2020-12) of troupe.toml.
json_text config_schema();

/// The text of `troupe config init`: every key, commented out, with its default and a sentence.
std::string reference_toml();

/// docs/configuration.md; a test compares.
std::string configuration_page();

}  // namespace troupe
