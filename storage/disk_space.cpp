#include "storage/disk_space.hpp"

#include <string>
#include <system_error>

namespace troupe {

status need_room(const std::filesystem::path& folder, std::int64_t bytes, std::string_view doing) {
  std::error_code failure;
  const auto space = std::filesystem::space(folder.empty() ? "." : folder, failure);
  if (failure) {
    return done;
  }
  const auto wanted = static_cast<std::uintmax_t>(bytes + room_to_spare);
  if (space.available >= wanted) {
    return done;
  }
  return error{error_code::storage_full,
               std::string{doing} + " needs " + std::to_string(wanted) + " bytes, " + std::to_string(space.available) +
                   " are free in " + folder.string() + "; nothing was changed",
               "free some space on this file system, then try again"};
}

}  // namespace troupe
