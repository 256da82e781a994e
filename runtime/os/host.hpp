// Who we are to the system.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace troupe {

std::int64_t own_pid() noexcept;

/// Also one of somebody else. A process that has the number of one that ended is taken for it.
bool is_running(std::int64_t pid) noexcept;
std::string host_name();

/// Of whom the process belongs to, as the system knows them: getpwuid(3); `uid 1000` where it does not.
std::string login_name();

/// As SIGKILL does: no thread of this process runs on, nothing is flushed, nobody is told.
[[noreturn]] void die_at_once() noexcept;

/// A copy of the process's environment. Not while another thread changes it.
std::map<std::string, std::string> host_environment();

}  // namespace troupe
