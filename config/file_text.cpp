#include "config/file_text.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

file_text failure_of(int code) {
  return {std::nullopt, code == ENOENT || code == ENOTDIR, std::generic_category().message(code)};
}

}  // namespace

std::string file_identity(const std::string& path) {
  std::error_code unknown;
  const auto known = std::filesystem::weakly_canonical(path, unknown);
  return unknown ? std::filesystem::path{path}.lexically_normal().string() : known.string();
}

file_text read_file_text(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return failure_of(ENOENT);
  }
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    return failure_of(EISDIR);
  }
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return failure_of(errno == 0 ? EIO : errno);
  }
  std::string text;
  constexpr std::size_t step = std::size_t{64} << 10U;
  while (file && text.size() <= file_bytes_max) {
    const std::size_t before = text.size();
    text.resize(before + step);
    file.read(text.data() + before, static_cast<std::streamsize>(step));
    text.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (text.size() > file_bytes_max) {
    return failure_of(EFBIG);
  }
  return file.bad() ? failure_of(EIO) : file_text{std::move(text), false, {}};
}

}  // namespace troupe
