#include "runtime/os/control_group.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::custody {
namespace {

constexpr std::string_view prefix = "troupe-";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

// The line `0::/PATH` is the one of version 2 (cgroups(7)). A path that leads out of our namespace is none of ours.
std::string_view own_path(std::string_view groups) {
  for (const auto line : split(groups, '\n')) {
    if (line.substr(0, 3) == "0::" && line.substr(3, 3) != "/..") {
      return line.substr(3);
    }
  }
  return {};
}

std::string short_text(const std::string& path) {
  char buffer[512];
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto got = file < 0 ? -1 : ::read(file, buffer, sizeof buffer);
  if (file >= 0) {
    ::close(file);
  }
  return got > 0 ? std::string{buffer, static_cast<std::size_t>(got)} : std::string{};
}

template <class Each>
void for_each_group_in(const std::string& folder, Each each) {
  DIR* const open = ::opendir(folder.c_str());
  while (const dirent* entry = open == nullptr ? nullptr : ::readdir(open)) {  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
      each(std::string{entry->d_name});
    }
  }
  if (open != nullptr) {
    ::closedir(open);
  }
}

// With the groups that the agent has made in its own. The kernel removes none that has a process in it.
bool remove_group(const std::string& folder) {
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) {
    return true;
  }
  for_each_group_in(folder, [&](const std::string& name) { remove_group(folder + '/' + name); });
  return ::rmdir(folder.c_str()) == 0;
}

// The number after `key` and a space, at the start of a line.
std::optional<long long> figure_in(const std::string& text, std::string_view key) {
  for (const auto line : split(text, '\n')) {
    if (line.size() > key.size() && line.substr(0, key.size()) == key && line[key.size()] == ' ') {
      return std::atoll(std::string{line.substr(key.size() + 1)}.c_str());
    }
  }
  return std::nullopt;
}

// One that has just made its group is not in it yet, and its agent neither.
bool keeper_lives(const std::string& group) {
  const auto pid = static_cast<pid_t>(std::atoi(group.c_str() + prefix.size()));
  return pid > 0 && (::kill(pid, 0) == 0 || errno != ESRCH);
}

}  // namespace

std::string control_group_home(const std::string& mounts, const std::string& groups) {
  const auto path = own_path(groups);
  if (path.empty()) {
    return {};
  }
  for (const auto line : split(mounts, '\n')) {
    const auto kind = line.find(" - cgroup2 ");
    const auto fields = split(line, ' ');  // proc(5): ID, parent, device, root, mount point
    if (kind == std::string_view::npos || fields.size() < 5 || fields[4].find('\\') != std::string_view::npos) {
      continue;
    }
    const auto root = fields[3] == "/" ? std::string_view{} : fields[3];
    const auto below = path.substr(std::min(root.size(), path.size()));
    if (path.substr(0, root.size()) == root && (below.empty() || below.front() == '/')) {
      auto folder = std::string{fields[4]} + std::string{below == "/" ? std::string_view{} : below};
      return folder;
    }
  }
  return {};
}

std::string control_group_name(pid_t keeper) { return std::string{prefix} + std::to_string(keeper); }

void sweep_control_groups(const std::string& home) {
  if (home.empty()) {
    return;
  }
  for_each_group_in(home, [&](const std::string& name) {
    if (name.compare(0, prefix.size(), prefix) == 0 && !keeper_lives(name) &&
        control_group::existing(home, name).is_empty()) {
      remove_group(home + '/' + name);
    }
  });
}

control_group control_group::make(const std::string& home, const std::string& name) {
  if (home.empty() || ::mkdir((home + '/' + name).c_str(), 0755) != 0) {
    return {};
  }
  control_group made{home + '/' + name};
  made.entrance_ = ::open((made.folder_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (made.entrance_ < 0) {
    made.remove();
    return {};
  }
  return made;
}

control_group control_group::existing(const std::string& home, const std::string& name) {
  return home.empty() ? control_group{} : control_group{home + '/' + name};
}

control_group::control_group(control_group&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), entrance_(std::exchange(other.entrance_, -1)) {}

control_group& control_group::operator=(control_group&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(entrance_, other.entrance_);
  return *this;
}

control_group::~control_group() {
  if (entrance_ >= 0) {
    ::close(entrance_);
  }
}

void control_group::kill() const {
  const int file = folder_.empty() ? -1 : ::open((folder_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    static_cast<void>(!::write(file, "1", 1));  // a kernel before 5.14 has no such file: the rounds do it alone
    ::close(file);
  }
}

bool control_group::is_empty() const {
  return folder_.empty() || figure_in(short_text(folder_ + "/cgroup.events"), "populated").value_or(0) == 0;
}

std::optional<long long> control_group::cpu_us() const {
  return folder_.empty() ? std::nullopt : figure_in(short_text(folder_ + "/cpu.stat"), "usage_usec");
}

bool control_group::remove() {
  const bool gone = folder_.empty() || remove_group(folder_);
  if (gone) {
    folder_.clear();
  }
  return gone;
}

}  // namespace troupe::custody
