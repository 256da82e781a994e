// The system's error numbers as errors of ours.
#pragma once

#include "messages/base/error.hpp"

#include <filesystem>
#include <string_view>

namespace troupe {

/// `number` is an errno: STORAGE_FULL for a full disk or quota, STORAGE_READONLY for a file system that may only be read,
/// STORAGE_DENIED for a missing permission, STORAGE_UNAVAILABLE for anything else.
error_code storage_code(int number) noexcept;

/// `DOING (No space left on device): PATH`. The hint is that of the code; `otherwise` where the code is
/// STORAGE_UNAVAILABLE.
error system_error(int number,
                   std::string_view doing,
                   const std::filesystem::path& path,
                   std::string_view otherwise = "look at the path, and at the owner and mode of the folder");

/// Why this user cannot read and write the file and make others beside it: EROFS, EACCES or EPERM; 0 where nothing is in
/// the way, or something else. SQLite tells the three apart no further than "unable to open" and "readonly".
int why_not_writable(const std::filesystem::path& file) noexcept;

}  // namespace troupe
