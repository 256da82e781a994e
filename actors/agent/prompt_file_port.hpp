#pragma once

#include "messages/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// Prompts as files, for agents with prompt = "file": mode 0600, removed when the attempt is over, and by the next
/// start of the node if it died before.
class prompt_file_port {
 public:
  virtual ~prompt_file_port() = default;
  /// The path, absolute. Any thread; blocks for a write.
  virtual result<std::string> write(std::string_view prompt) = 0;
  /// Any thread; a path that is not there is ignored.
  virtual void remove(const std::string& path) noexcept = 0;
};

}  // namespace troupe
