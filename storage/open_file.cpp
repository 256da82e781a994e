#include "storage/open_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace troupe {

open_file::open_file(const std::filesystem::path& path, int flags, unsigned mode) noexcept
    : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}

open_file::~open_file() {
  if (number_ >= 0) {
    ::close(number_);
  }
}

}  // namespace troupe
