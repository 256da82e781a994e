#include "runtime/os/prompt_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

error refusal(const std::string& path, int number) {
  return {error_code::internal,
          "the prompt file " + path + " cannot be written: " + std::generic_category().message(number),
          "look at the disk and the folder's permissions, or set prompt = \"stdin\" for this agent"};
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

prompt_files::prompt_files(std::string folder) : folder_(std::move(folder)) {
  std::error_code ignored;  // an old file that cannot be removed is in nobody's way: names are new, opened exclusively
  std::filesystem::remove_all(folder_, ignored);
}

result<std::string> prompt_files::write(std::string_view prompt) {
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    return refusal(folder_, errno);
  }
  std::string path =
      folder_ + "/prompt-" + std::to_string(::getpid()) + '-' + std::to_string(next_.fetch_add(1)) + ".txt";
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return refusal(path, errno);
  }
  const bool whole = write_all(descriptor, prompt);
  const int number = errno;
  ::close(descriptor);
  if (!whole) {
    ::unlink(path.c_str());
    return refusal(path, number);
  }
  return path;
}

void prompt_files::remove(const std::string& path) noexcept { ::unlink(path.c_str()); }

}  // namespace troupe
