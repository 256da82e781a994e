#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

namespace troupe {

/// A new id: `r-`, ten characters of time and ten of chance, so that ids sort by age and never meet. Crockford's base 32
/// in lower case, as ULID has it.
run_id make_run_id(timestamp now);

}  // namespace troupe
