// Bugs, not operating errors: always checked where data crosses disk, process or actor lines.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace troupe {

/// A broken promise of our own code. It ends the actor that meets it, with reason `bug`; its supervisor decides.
class bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void invariant(bool holds, const char* what, std::source_location at = std::source_location::current()) {
  if (!holds) {
    throw bug{std::string{what} + " (" + at.file_name() + ':' + std::to_string(at.line()) + ')'};
  }
}

}  // namespace troupe
