// The JSON Schema of the rules by which an output is read. Used by config_schema only.
#pragma once

#include "config/setting_key.hpp"
#include "config/toml_document.hpp"

namespace troupe {

/// Of value_kind source, usage or failures; of any other kind it is empty.
toml_table rules_schema(value_kind kind);

}  // namespace troupe
