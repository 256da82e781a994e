// Children, started and watched to their end: as a program would by itself, and through the process port.
#pragma once

#include "actors/agent/process_port.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace troupe::perf {

using clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC, which children read too.

inline double micros_between(clock::time_point from, clock::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

struct child_life {
  clock::time_point asked;
  clock::time_point started;  ///< The program runs; of bare fork, the child is there.
  clock::time_point exited;   ///< Its exit is known.
  clock::time_point ended;    ///< And both pipes are at end of file, and nothing of its tree is left.
  std::string output;

  double start_micros() const { return micros_between(asked, started); }
  double life_micros() const { return micros_between(asked, ended); }
};

enum class bare_start {
  spawn,  ///< posix_spawn, which is vfork in glibc.
  fork,
};

/// Pipes for all three streams, the start, reading to the end, waitpid; on this thread. Throws where the start fails.
child_life live_bare(bare_start how, const std::vector<std::string>& argv);

/// The same by the port, `count` at once; returns when all have ended.
std::vector<child_life> live_kept(process_port& port, const std::vector<std::string>& argv, std::size_t count = 1);

}  // namespace troupe::perf
