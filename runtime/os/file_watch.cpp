#include "runtime/os/file_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

error refused(const std::filesystem::path& folder) {
  return {.code = error_code::internal,
          .message = "cannot watch " + folder.string() + ": " + std::generic_category().message(errno),
          .hint = "the limits are in /proc/sys/fs/inotify"};
}

}  // namespace

result<file_watch> file_watch::on(const std::filesystem::path& folder, std::string name) {
  const int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (descriptor < 0) {
    return refused(folder);
  }
  file_watch made{descriptor, std::move(name)};
  if (inotify_add_watch(descriptor, folder.c_str(), IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO) < 0) {
    return refused(folder);
  }
  return made;
}

file_watch::file_watch(int descriptor, std::string name) noexcept : descriptor_(descriptor), name_(std::move(name)) {}

file_watch::file_watch(file_watch&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}

file_watch::~file_watch() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

bool file_watch::wait(milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    if (take_changes()) {
      return true;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= 0ms) {
      return false;
    }
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, static_cast<int>(left.count()));
  }
}

bool file_watch::take_changes() {
  bool ours = false;
  alignas(inotify_event) std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = read(descriptor_, buffer.data(), buffer.size());
    if (count <= 0) {
      return ours;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event head{};
      std::memcpy(&head, buffer.data() + at, sizeof head);
      // After an overflow of the queue nobody knows what changed.
      ours = ours || (head.mask & IN_Q_OVERFLOW) != 0;
      if (head.len > 0) {
        ours = ours || std::string_view{buffer.data() + at + sizeof head}.starts_with(name_);
      }
      at += sizeof head + head.len;
    }
  }
}

}  // namespace troupe
