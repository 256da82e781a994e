// The runtime's end of the custodian: starts it, hands it start orders, never blocks on it.
#pragma once

#include "actors/agent/process_port.hpp"
#include "messages/base/result.hpp"
#include "runtime/os/file_descriptor.hpp"

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace troupe {

enum class control_groups { where_possible, none };

/// The child's ends of its pipes and of its control socket: handed over, then closed here.
struct child_ends {
  file_descriptor input;
  file_descriptor output;
  file_descriptor errors;
  file_descriptor control;
};

/// One custodian process. One thread.
class custodian_client {
 public:
  /// `open_files` is the soft limit that children get; `mark`, a variable, is all the environment that it has, and what it
  /// forks, until that is another program (runtime/os/leftovers.hpp); empty: none. INTERNAL names the path where the
  /// program is missing.
  static result<custodian_client> start(const std::string& program,
                                        std::uint64_t open_files,
                                        control_groups groups,
                                        std::string mark);

  custodian_client(custodian_client&&) noexcept;
  custodian_client& operator=(custodian_client&&) = delete;
  /// Closes the socket, upon which the custodian ends all that is left; waits for it, 2 s at most, then kills it.
  ~custodian_client();

  int socket() const noexcept { return socket_.get(); }
  pid_t pid() const noexcept { return pid_; }

  /// It does not answer: SIGKILL.
  void kill() const noexcept;

  void order(const process_request& what, child_ends ends);

  /// Sends what the socket takes. False when the custodian is gone.
  bool flush();
  bool has_more_to_send() const noexcept { return !outgoing_.empty(); }

 private:
  struct frame {
    std::vector<char> bytes;
    child_ends ends;
    std::size_t sent = 0;
  };

  custodian_client(pid_t pid, file_descriptor socket) noexcept;

  pid_t pid_;
  file_descriptor socket_;
  std::deque<frame> outgoing_;
};

/// Where the custodian is: `configured`, or beside the running program, or where it is installed.
std::string find_custodian(const std::string& configured);

}  // namespace troupe
