// Room on the disk, looked at before something large is written.
#pragma once

#include "messages/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace troupe {

/// What must stay free beside what is about to be written.
inline constexpr std::int64_t room_to_spare = std::int64_t{16} << 20U;

/// What is left on the file system of `folder` for this user; nothing where the system does not say.
std::optional<std::int64_t> free_bytes_in(const std::filesystem::path& folder) noexcept;

/// STORAGE_FULL unless the file system of `folder` has `bytes` and room_to_spare; nothing is written. Where the system
/// does not say how much is free, the write itself will tell.
status need_room(const std::filesystem::path& folder, std::int64_t bytes, std::string_view doing);

}  // namespace troupe
