// One thread for all child processes: their pipes, their ends, and the custodian that keeps them.
#pragma once

#include "actors/agent/process_port.hpp"
#include "messages/starts.hpp"
#include "runtime/os/custodian_client.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

struct process_reactor_options {
  std::string custodian;  ///< Path of the program; empty: beside the running one, or where it is installed.
  control_groups groups = control_groups::where_possible;
  milliseconds start_patience{10'000};  ///< A custodian that answers nothing for so long is killed.
  std::string mark{};                   ///< `NAME=value`: the custodian's environment. Empty: it has none.
};

/// Implements process_port with epoll over non-blocking pipes and one control socket for each child. Four descriptors a
/// child; it raises the process's soft limit to the hard one, and children get the former limit back.
///
/// Bounded: output_limit bytes are kept of each stream of each child, and what comes beyond is counted and dropped. A
/// custodian that dies takes its children with it (`custodian_lost`), and another is started for the next ones. One that
/// ends, or answers nothing, before it has started anything is an error of each start: it is no custodian, or may not work.
class process_reactor final : public process_port {
 public:
  explicit process_reactor(const process_reactor_options& options);

  /// Kills what is left, waits until all of it has `ended` (2 s at most), and ends the custodian.
  ~process_reactor() override;
  process_reactor(const process_reactor&) = delete;
  process_reactor& operator=(const process_reactor&) = delete;

  process_handle start(process_request what, process_listener listener) override;
  void terminate(process_handle which) override;
  void kill(process_handle which) override;

  /// Of the custodian that runs now; 0 before the first start. For tests and `doctor`. Any thread.
  std::int64_t custodian_pid() const noexcept;

  /// How long starts took lately. Any thread.
  starts_view starts() const;

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace troupe
