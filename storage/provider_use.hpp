// What attempts have used up of a provider's limits.
#pragma once

#include "messages/limits.hpp"
#include "storage/statements.hpp"

namespace troupe {

/// Attempts that the provider refused before it worked are not counted. Throws SQLite::Exception.
provider_use use_of(statement_cache& sql, const provider_name& provider, timestamp minute_from, timestamp day_from);

}  // namespace troupe
