#include "runtime/os/host.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace troupe {

std::int64_t own_pid() noexcept { return ::getpid(); }

bool is_running(std::int64_t pid) noexcept {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH);
}

void die_at_once() noexcept {
  ::kill(::getpid(), SIGKILL);
  std::abort();  // never: a signal to oneself has come before kill returns (POSIX.1-2017, kill)
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{"unknown"};
}

std::string login_name() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16U << 10U> buffer{};
  const auto user = ::geteuid();
  const bool known = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return known ? std::string{found->pw_name} : "uid " + std::to_string(user);
}

std::map<std::string, std::string> host_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    if (const auto equals = text.find('='); equals != std::string_view::npos) {
      all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return all;
}

}  // namespace troupe
