// Who has the database that this command would need.
#pragma once

#include "config/settings.hpp"
#include "messages/base/error.hpp"

namespace troupe {

/// LEASE_HELD in words of runs: which process it is, and what to do about it.
error with_owner(error held, const settings& values);

}  // namespace troupe
