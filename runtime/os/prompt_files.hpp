#pragma once

#include "actors/agent/prompt_file_port.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace troupe {

/// Files of mode 0600 in a folder of mode 0700 of its own, which is emptied at the start: whoever has the lease on the
/// database has this folder too.
class prompt_files final : public prompt_file_port {
 public:
  explicit prompt_files(std::string folder);

  result<std::string> write(std::string_view prompt) override;
  void remove(const std::string& path) noexcept override;

 private:
  std::string folder_;
  std::atomic<std::uint64_t> next_{1};
};

}  // namespace troupe
