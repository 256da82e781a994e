#include "runtime/os/process_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace troupe::custody {
namespace {

std::string content_of(const char* path) {
  std::string text;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return text;
  }
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(file, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(file);
  return text;
}

template <class Each>
void for_each_number_in(const char* folder, Each each) {
  DIR* const open = ::opendir(folder);
  if (open == nullptr) {
    return;
  }
  while (const dirent* entry = ::readdir(open)) {  // NOLINT(concurrency-mt-unsafe): one thread
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (*end == '\0' && number > 0) {
      each(static_cast<pid_t>(number));
    }
  }
  ::closedir(open);
}

// The fields of /proc/PID/stat after the name, which may itself hold spaces and brackets (proc(5)).
std::string stat_after_name(pid_t pid) {
  const std::string text = proc_text(pid, "stat");
  const auto end = text.rfind(')');
  return end == std::string::npos ? std::string{} : text.substr(end + 1);
}

std::vector<pid_t> children_by_walk(pid_t parent) {
  auto found = all_processes();
  std::erase_if(found, [&](pid_t pid) { return parent_of(pid) != parent; });
  return found;
}

bool kernel_lists_children() {
  static const bool known = [] {
    char path[96];
    std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", ::getpid(), ::getpid());
    return ::access(path, R_OK) == 0;
  }();
  return known;
}

// By the number that proc(5) gives it; the first after the name is field 3. 0 if there is none.
long long stat_field(const std::string& fields, int number) {
  const char* at = fields.c_str();
  for (int field = 3; field < number && at != nullptr; ++field) {
    at = std::strchr(at + 1, ' ');
  }
  return at == nullptr ? 0 : std::atoll(at);
}

// utime, stime, cutime and cstime: fields 14 to 17.
long long ticks_below(pid_t parent) {
  long long all = 0;
  for (const pid_t child : children_of(parent)) {
    const std::string fields = stat_after_name(child);
    for (int field = 14; field <= 17; ++field) {
      all += stat_field(fields, field);
    }
    all += ticks_below(child);
  }
  return all;
}

void collect_others(pid_t parent, pid_t group, std::vector<pid_t>& found) {
  for (const pid_t child : children_of(parent)) {
    collect_others(child, group, found);
    if (::getpgid(child) != group) {
      found.push_back(child);
    }
  }
}

}  // namespace

std::string proc_text(pid_t pid, const char* file) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  return content_of(path);
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  for_each_number_in("/proc", [&](pid_t pid) { found.push_back(pid); });
  return found;
}

pid_t parent_of(pid_t pid) {
  char state = 0;
  int parent = 0;
  return std::sscanf(stat_after_name(pid).c_str(), " %c %d", &state, &parent) == 2 ? parent : 0;
}

std::vector<pid_t> children_of(pid_t parent) {
  if (!kernel_lists_children()) {
    return children_by_walk(parent);
  }
  std::vector<pid_t> found;
  char folder[64];
  std::snprintf(folder, sizeof folder, "/proc/%d/task", parent);
  for_each_number_in(folder, [&](pid_t thread) {
    char path[96];
    std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, thread);
    const std::string list = content_of(path);
    const char* at = list.c_str();
    for (char* end = nullptr; *at != '\0'; at = end) {
      const long child = std::strtol(at, &end, 10);
      if (end == at) {
        break;
      }
      found.push_back(static_cast<pid_t>(child));
    }
  });
  return found;
}

void terminate_tree(pid_t group) {
  std::vector<pid_t> others;  // all of them before the first signal, which changes the tree
  collect_others(::getpid(), group, others);
  ::kill(-group, SIGTERM);
  for (const pid_t other : others) {
    ::kill(other, SIGTERM);
  }
}

void kill_round(pid_t group, const std::vector<pid_t>& spared) {
  if (group > 0) {
    ::kill(-group, SIGKILL);
  }
  for (const pid_t child : children_of(::getpid())) {
    if (std::find(spared.begin(), spared.end(), child) == spared.end()) {
      ::kill(child, SIGKILL);
    }
  }
}

long long descendants_cpu_us() {
  struct rusage ended {};
  ::getrusage(RUSAGE_CHILDREN, &ended);
  const auto micros = [](const timeval& time) { return 1'000'000LL * time.tv_sec + time.tv_usec; };
  const long long ticks = ticks_below(::getpid());
  return micros(ended.ru_utime) + micros(ended.ru_stime) + ticks * (1'000'000 / ::sysconf(_SC_CLK_TCK));
}

long long start_time_of(pid_t pid) { return stat_field(stat_after_name(pid), 22); }

}  // namespace troupe::custody
