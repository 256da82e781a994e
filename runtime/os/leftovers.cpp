#include "runtime/os/leftovers.hpp"

#include "runtime/os/process_tree.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>

namespace troupe {
namespace {

constexpr std::string_view custodian_name = "troupe-custod";  // as it begins, and of its keepers, which are forks
constexpr milliseconds round_pause{10};

enum class upkeep {
  none,        ///< Left behind.
  custodian,   ///< Somebody ends it, when its owner has died.
  by_oneself,  ///< Below ourselves: nothing of a dead owner.
};

bool is_custodian(pid_t pid) { return custody::proc_text(pid, "comm").starts_with(custodian_name); }

upkeep upkeep_of(pid_t pid) {
  for (pid_t at = pid; at > 1; at = custody::parent_of(at)) {
    if (at == ::getpid()) {
      return upkeep::by_oneself;
    }
    if (is_custodian(at)) {
      return upkeep::custodian;
    }
  }
  return upkeep::none;
}

// What an agent is told of its run (actors/agent/launch.cpp), and hands on to what it starts. A fork of a custodian that is
// not yet the agent knows the database alone.
bool belongs_to(pid_t pid, const std::set<std::string>& runs, const std::string& database) {
  const std::string environment = custody::proc_text(pid, "environ");
  bool of_run = false;
  bool of_database = false;
  for (std::size_t at = 0; at < environment.size();) {
    const auto end = std::min(environment.find('\0', at), environment.size());
    const auto variable = environment.substr(at, end - at);
    of_run = of_run || runs.contains(variable);
    of_database = of_database || variable == database;
    at = end + 1;
  }
  return of_database && (of_run || is_custodian(pid));
}

bool is_alive(const leftover& one, timestamp booted_at) {
  const bool of_this_boot = !one.started_at || *one.started_at >= booted_at;
  return of_this_boot && one.pid > 0 && custody::start_time_of(static_cast<pid_t>(one.pid)) == one.start_time;
}

}  // namespace

timestamp boot_time() {
  timespec up{};
  ::clock_gettime(CLOCK_BOOTTIME, &up);  // the time asleep included
  const auto since = std::chrono::seconds{up.tv_sec} + std::chrono::nanoseconds{up.tv_nsec};
  return std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now() - since);
}

int end_leftovers(const std::vector<leftover>& all,
                  const std::string& database,
                  milliseconds patience,
                  timestamp booted_at) {
  const std::string database_mark = "TROUPE_DATABASE=" + database;
  std::set<std::string> runs;
  for (const auto& one : all) {
    runs.insert("TROUPE_RUN_ID=" + one.run.str());
  }
  std::set<pid_t> killed;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (bool is_over = all.empty(); !is_over; is_over = is_over || std::chrono::steady_clock::now() > deadline) {
    is_over = std::ranges::none_of(all, [&](const leftover& one) { return is_alive(one, booted_at); });
    for (const pid_t pid : custody::all_processes()) {
      const auto kept = belongs_to(pid, runs, database_mark) ? upkeep_of(pid) : upkeep::by_oneself;
      if (kept == upkeep::none) {
        ::kill(pid, SIGKILL);
        killed.insert(pid);
      }
      is_over = is_over && kept == upkeep::by_oneself;
    }
    if (!is_over) {
      std::this_thread::sleep_for(round_pause);
    }
  }
  return static_cast<int>(killed.size());
}

}  // namespace troupe
