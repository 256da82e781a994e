#include "runtime/os/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace troupe {
namespace {

void wait_writable(int descriptor) noexcept {
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  poll(&waiting, 1, -1);
}

}  // namespace

bool is_terminal(int descriptor) noexcept { return isatty(descriptor) == 1; }

std::optional<terminal_size> size_of_terminal(int descriptor) noexcept {
  winsize window{};
  if (ioctl(descriptor, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) {
    return std::nullopt;
  }
  return terminal_size{.columns = window.ws_col, .rows = window.ws_row};
}

write_outcome write_all(int descriptor, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_writable(descriptor);
    } else if (errno == EPIPE || errno == EIO) {
      return write_outcome::reader_gone;
    } else if (errno != EINTR) {
      return write_outcome::failed;
    }
  }
  return write_outcome::written;
}

void ignore_broken_pipes() noexcept {
  struct sigaction ignore {};

  ignore.sa_handler = SIG_IGN;  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): the system's macro
  sigaction(SIGPIPE, &ignore, nullptr);
}

}  // namespace troupe
