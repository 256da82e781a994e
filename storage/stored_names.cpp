#include "storage/stored_names.hpp"

#include <string>

namespace troupe {
namespace {

template <class Known>
auto or_damaged(Known known, const std::string& name, const char* what) {
  if (!known) {
    throw damaged_row{std::string{what} + " '" + name + "' does not exist"};
  }
  return *known;
}

}  // namespace

run_state run_state_in(const prepared& row, int column) {
  const auto name = row.text(column);
  return or_damaged(run_state_from(name), name, "run state");
}

task_state task_state_in(const prepared& row, int column) {
  const auto name = row.text(column);
  return or_damaged(task_state_from(name), name, "task state");
}

event_kind event_kind_in(const prepared& row, int column) {
  const auto name = row.text(column);
  return or_damaged(event_kind_from(name), name, "event kind");
}

std::optional<error> error_in(const prepared& row, int first_column) {
  if (row.is_null(first_column)) {
    return std::nullopt;
  }
  const auto name = row.text(first_column);
  return error{
      or_damaged(error_code_from(name), name, "error code"), row.text(first_column + 1), row.text(first_column + 2)};
}

error damaged(const damaged_row& found) {
  return {error_code::storage_corrupt,
          std::string{"a row of the database cannot be read: "} + found.what(),
          "`troupe db check` tells more"};
}

}  // namespace troupe
