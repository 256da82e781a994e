// A descriptor of this floor: opened once, closed once.
#pragma once

#include <filesystem>

namespace troupe {

class open_file {
 public:
  /// As open(2), and never handed on to a program that is started (O_CLOEXEC). Where it fails, errno tells why.
  open_file(const std::filesystem::path& path, int flags, unsigned mode = 0) noexcept;
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file();

  bool good() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace troupe
