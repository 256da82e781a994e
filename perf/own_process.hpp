// What this process has of the machine.
#pragma once

#include <cstdint>

namespace troupe::perf {

struct process_use {
  std::int64_t memory_bytes = 0;  ///< Resident and its own (RssAnon).
  std::int64_t mapped_bytes =
      0;  ///< Resident pages of files, which the kernel takes back when it wants to (RssFile, RssShmem).
  std::int64_t descriptors = 0;  ///< Open, of every kind.
  std::int64_t threads = 0;
};

/// proc_pid_status(5), proc_pid_fd(5). Throws where there is no /proc.
process_use own_process_use();

constexpr double mebibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace troupe::perf
