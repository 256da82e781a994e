#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// Remembers the newest whole line of a stream of bytes; the first 200 of it.
class line_watch {
 public:
  /// True if there is a newer line than before.
  bool take(std::string_view bytes);
  const std::string& newest() const noexcept { return newest_; }

 private:
  std::string newest_;
  std::string partial_;
};

}  // namespace troupe
