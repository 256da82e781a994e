#include "runtime/os/host.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

namespace troupe {

std::int64_t own_pid() noexcept { return ::getpid(); }

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{"unknown"};
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
