#include "storage/disk_space.hpp"

#include <string>
#include <system_error>

namespace troupe {

std::optional<std::int64_t> free_bytes_in(const std::filesystem::path& folder) noexcept {
  std::error_code failure;
  const auto space = std::filesystem::space(folder.empty() ? "." : folder, failure);
  return failure ? std::nullopt : std::optional{static_cast<std::int64_t>(space.available)};
}

status need_room(const std::filesystem::path& folder, std::int64_t bytes, std::string_view doing) {
  const auto available = free_bytes_in(folder);
  const auto wanted = bytes + room_to_spare;
  if (!available || *available >= wanted) {
    return done;
  }
  return error{error_code::storage_full,
               std::string{doing} + " needs " + std::to_string(wanted) + " bytes, " + std::to_string(*available) +
                   " are free in " + folder.string() + "; nothing was changed",
               "free some space on this file system, then try again"};
}

}  // namespace troupe
