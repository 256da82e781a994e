// Enumerations and errors as they come back from rows. A name that nobody knows is damage, never a default.
#pragma once

#include "messages/base/error.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"
#include "storage/statements.hpp"

#include <optional>
#include <stdexcept>

namespace troupe {

/// A row that cannot be what we wrote. The sessions turn it into STORAGE_CORRUPT.
class damaged_row : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

run_state run_state_in(const prepared& row, int column);
task_state task_state_in(const prepared& row, int column);
event_kind event_kind_in(const prepared& row, int column);

/// From three columns: code, message, hint. None where the code is NULL.
std::optional<error> error_in(const prepared& row, int first_column);

/// What a session answers for one.
error damaged(const damaged_row& found);

}  // namespace troupe
