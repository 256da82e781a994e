// A small text file, whole. The only reading of disk in this folder, but for looking up commands.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace troupe {

/// Configuration, workflows and prompts are written by people; what is larger than this is something else.
inline constexpr std::size_t file_bytes_max = std::size_t{64} << 20U;

struct file_text {
  std::optional<std::string> text;  ///< Absent: it could not be read.
  bool is_missing = false;          ///< There is no such file, or no such folder.
  std::string why;                  ///< In the system's words.
};

/// One text for all ways to name one file, whether or not it exists. Blocks. Any thread.
std::string file_identity(const std::string& path);

/// Blocks. Any thread.
file_text read_file_text(const std::string& path);

}  // namespace troupe
