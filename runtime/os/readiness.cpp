#include "runtime/os/readiness.hpp"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace troupe {
namespace {

std::uint32_t bits_of(readiness::interest in) {
  switch (in) {
    case readiness::interest::read:
      return EPOLLIN;
    case readiness::interest::write:
      return EPOLLOUT;
    case readiness::interest::both:
      return std::uint32_t{EPOLLIN} | std::uint32_t{EPOLLOUT};
  }
  return 0;
}

}  // namespace

readiness::readiness() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch(wake_up_.get(), interest::read);
}

void readiness::watch(int descriptor, interest in) {
  epoll_event wanted{};
  wanted.events = bits_of(in);
  wanted.data.fd = descriptor;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &wanted) != 0 && errno == ENOENT) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &wanted);
  }
}

void readiness::forget(int descriptor) {
  epoll_event ignored{};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, &ignored);
}

const std::vector<readiness::event>& readiness::wait(milliseconds at_most) {
  std::array<epoll_event, 128> told{};
  const int count =
      ::epoll_wait(epoll_.get(), told.data(), static_cast<int>(told.size()), static_cast<int>(at_most.count()));
  events_.clear();
  for (int i = 0; i < count; ++i) {
    const auto& each = told.at(static_cast<std::size_t>(i));
    if (each.data.fd == wake_up_.get()) {
      std::uint64_t ignored = 0;
      static_cast<void>(::read(wake_up_.get(), &ignored, sizeof ignored));
    } else {
      const auto bits = each.events;
      events_.push_back({each.data.fd,
                         (bits & std::uint32_t{EPOLLIN}) != 0,
                         (bits & std::uint32_t{EPOLLOUT}) != 0,
                         (bits & (std::uint32_t{EPOLLERR} | std::uint32_t{EPOLLHUP})) != 0});
    }
  }
  return events_;
}

void readiness::wake_up() const noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_up_.get(), &one, sizeof one));
}

}  // namespace troupe
