// What /proc says about processes: for tests that look whether anything is left.
#pragma once

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

inline constexpr std::chrono::seconds test_patience{30};  ///< Longer than anything takes: a hang is a failure.

/// For facts of the kernel that nobody is told about: asks until it is so.
template <class Condition>
bool becomes_true(Condition condition, std::chrono::milliseconds patience = test_patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

/// Waits for the end of a process that is nobody's child here.
inline bool is_gone(pid_t pid) {
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) {
    return errno == ESRCH;
  }
  pollfd ended{process, POLLIN, 0};
  const bool gone = ::poll(&ended, 1, 10'000) == 1;
  ::close(process);
  return gone;
}

inline std::string file_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};  // its iterators would throw for a process that ends meanwhile
  std::string text;
  char buffer[4096];
  while (file.read(buffer, sizeof buffer), file.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(file.gcount()));
  }
  return text;
}

inline std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> found;
  DIR* const open = ::opendir(folder.c_str());
  while (const dirent* entry = open == nullptr ? nullptr : ::readdir(open)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
      found.push_back(std::atoi(entry->d_name));
    }
  }
  if (open != nullptr) {
    ::closedir(open);
  }
  return found;
}

/// Processes, zombies not counted, with this text in their command line. What they fork carries it too.
inline std::vector<pid_t> processes_marked(const std::string& mark) {
  std::vector<pid_t> found;
  for (const int pid : numbers_in("/proc")) {
    if (pid != ::getpid() && file_text("/proc/" + std::to_string(pid) + "/cmdline").find(mark) != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

/// State and parent of a process: {'?', 0} where there is none.
inline std::pair<char, pid_t> state_of(pid_t pid) {
  const auto text = file_text("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = text.rfind(')');
  std::pair<char, pid_t> found{'?', 0};
  if (name_end != std::string::npos) {
    std::istringstream{text.substr(name_end + 1)} >> found.first >> found.second;
  }
  return found;
}

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const int pid : numbers_in("/proc")) {
    if (state_of(pid).second == parent) {
      found.push_back(pid);
    }
  }
  return found;
}

inline std::size_t open_descriptors() { return numbers_in("/proc/self/fd").size(); }
inline std::size_t threads() { return numbers_in("/proc/self/task").size(); }

/// A text that no other test and no other run uses.
inline std::string new_mark() {
  static int count = 0;
  return "mark-" + std::to_string(::getpid()) + '-' + std::to_string(++count) + '.';
}

}  // namespace troupe
