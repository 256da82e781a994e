// What the command line needs of file descriptors 0 to 2: is a person there, how wide is the window, and writing all of
// a text or finding out that nobody reads it.
#pragma once

#include <optional>
#include <string_view>

namespace troupe {

inline constexpr int standard_output = 1;
inline constexpr int standard_error = 2;

bool is_terminal(int descriptor) noexcept;

struct terminal_size {
  int columns = 80;
  int rows = 24;
};

/// Nothing where the descriptor is not a terminal, or one that does not know its size.
std::optional<terminal_size> size_of_terminal(int descriptor) noexcept;

enum class write_outcome {
  written,
  reader_gone,  ///< A closed pipe (EPIPE) or terminal: nobody will ever read this.
  failed,       ///< Anything else, a full disk for one; errno says it.
};

/// All of `text`, also over short writes and to a descriptor in non-blocking mode. Blocks. Needs SIGPIPE ignored.
write_outcome write_all(int descriptor, std::string_view text) noexcept;

/// A reader that goes away becomes an outcome of write_all instead of the end of the process. Whole process; programs
/// that it executes afterwards inherit it unless their starter resets it.
void ignore_broken_pipes() noexcept;

}  // namespace troupe
