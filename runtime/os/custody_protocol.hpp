// What the runtime, the custodian and its keepers say to each other. Same machine, same build: plain structs.
//
//   runtime -> custodian   stream socket: start_header, four descriptors (stdin, stdout, stderr, control of the child) on
//                          its first byte, then `bytes` of NUL-terminated texts: working directory, program and
//                          arguments, environment. The custodian says nothing; it ends when the socket closes.
//   runtime -> keeper      control socket (SEQPACKET): one byte, a keeper_command.
//   keeper  -> runtime     control socket: keeper_record, one for each fact. End of file without `gone`: it died.
#pragma once

#include <cstdint>

namespace troupe::custody {

inline constexpr int custodian_socket = 3;  ///< The custodian's end, by number.
inline constexpr int descriptors_sent = 4;
inline constexpr std::uint32_t bytes_max = 8U << 20U;  ///< Of the texts; the system takes less in all (ARG_MAX).

struct start_header {
  std::uint32_t bytes = 0;
  std::uint32_t arguments = 0;
  std::uint32_t environment = 0;
};

enum class keeper_command : char { terminate = 'T', kill = 'K', look = 'L' };  ///< look: answered by `usage`.

enum class record_kind : std::uint32_t { started, start_failed, usage, exited, gone };
enum class start_stage : std::int32_t { fork, working_directory, program };

struct keeper_record {
  record_kind kind = record_kind::started;
  std::int32_t number = 0;  ///< start_failed: errno. exited: the status, or the signal.
  std::int32_t detail =
      0;  ///< start_failed: start_stage. exited: 1 for a signal. gone: 1 if its control group is not empty.
  std::int64_t pid = 0;            ///< started
  std::int64_t start_time = 0;     ///< started: field 22 of /proc/PID/stat
  std::int64_t cpu_us = 0;         ///< usage, exited, gone: user and system, of the whole tree so far
  std::int64_t rss_bytes_max = 0;  ///< exited: of the leader and those that it waited for
};

}  // namespace troupe::custody
