#include "runtime/os/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

bool is_ignored(int signal) noexcept {
  struct sigaction now {};

  return sigaction(signal, nullptr, &now) == 0 &&
         now.sa_handler == SIG_IGN;  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): the system's macro
}

error refused(const char* call) {
  return {.code = error_code::internal,
          .message = std::string{call} + ": " + std::generic_category().message(errno),
          .hint = "a process may hold too few open files; see ulimit -n"};
}

}  // namespace

result<signal_watch> signal_watch::of(std::initializer_list<int> signals) {
  signal_watch made;
  sigemptyset(&made.watched_);
  for (const int signal : signals) {
    if (!is_ignored(signal)) {
      sigaddset(&made.watched_, signal);
    }
  }
  if (pthread_sigmask(SIG_BLOCK, &made.watched_, &made.before_) != 0) {
    return refused("pthread_sigmask");
  }
  made.signals_ = signalfd(-1, &made.watched_, SFD_CLOEXEC | SFD_NONBLOCK);
  made.wakes_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made.signals_ < 0 || made.wakes_ < 0) {
    return refused("signalfd");
  }
  return made;
}

signal_watch::signal_watch(signal_watch&& other) noexcept
    : signals_(std::exchange(other.signals_, -1)),
      wakes_(std::exchange(other.wakes_, -1)),
      before_(other.before_),
      watched_(std::exchange(other.watched_, sigset_t{})) {}

signal_watch::~signal_watch() {
  if (signals_ < 0 && wakes_ < 0) {
    return;
  }
  constexpr timespec at_once{};
  while (sigtimedwait(&watched_, nullptr, &at_once) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  close(signals_);
  close(wakes_);
}

void signal_watch::wake() const noexcept {
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then the other side is awake anyway.
  [[maybe_unused]] const ssize_t count = write(wakes_, &one, sizeof one);
}

std::optional<int> signal_watch::wait(milliseconds at_most) const {
  std::array<pollfd, 2> waiting{pollfd{.fd = signals_, .events = POLLIN, .revents = 0},
                                pollfd{.fd = wakes_, .events = POLLIN, .revents = 0}};
  poll(waiting.data(), waiting.size(), static_cast<int>(at_most.count()));
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t count = read(wakes_, &wakes, sizeof wakes);
  signalfd_siginfo came{};
  if (read(signals_, &came, sizeof came) != static_cast<ssize_t>(sizeof came)) {
    return std::nullopt;
  }
  return static_cast<int>(came.ssi_signo);
}

void stop_until_continued() noexcept { kill(getpid(), SIGSTOP); }

}  // namespace troupe
