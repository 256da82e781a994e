#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// Remembers the newest whole line of a stream of bytes; the first 200 of it.
class line_watch {
 public:
  void take(std::string_view bytes);
  const std::string& newest() const noexcept { return newest_; }

 private:
  std::string newest_;
  std::string partial_;
};

}  // namespace troupe
