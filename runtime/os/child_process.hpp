// One child in the reactor: its descriptors, what it printed so far, and what is known of its end.
#pragma once

#include "actors/agent/process_port.hpp"
#include "messages/base/result.hpp"
#include "runtime/os/custodian_client.hpp"
#include "runtime/os/custody_protocol.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/line_watch.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// What one custodian has shown so far, for all that were entrusted to it.
struct custodian_proof {
  std::string program;
  bool given = false;                           ///< It has started something, or said why not.
  std::chrono::steady_clock::time_point heard;  ///< When it answered last.
};

/// The reactor's side of one child. One thread. Reads and writes never block.
class child_process {
 public:
  using time = std::chrono::steady_clock::time_point;

  child_process(process_request what, process_listener listener);

  /// That the request is one the system can carry out: invalid_input.
  status check() const;

  /// Makes the pipes and gives the child's ends; the system's error where there are no descriptors left.
  result<child_ends> open();

  int input() const noexcept { return input_.get(); }
  int output() const noexcept { return output_.get(); }
  int errors() const noexcept { return errors_.get(); }
  int control() const noexcept { return control_.get(); }
  const process_request& request() const noexcept { return request_; }

  /// Something came or may go; each closes its descriptor at the end. The caller's buffer saves one for each child.
  void write_input();
  void read_output(std::string& buffer);
  void read_errors(std::string& buffer);
  void read_control();

  void command(custody::keeper_command what);

  /// The custodian has been asked to start it.
  void entrust(std::shared_ptr<custodian_proof> to, time now);
  time asked_at() const noexcept { return asked_at_; }
  const std::shared_ptr<custodian_proof>& custodian() const noexcept { return custodian_; }

  enum class start_state { under_way, succeeded, failed };
  start_state start() const noexcept { return start_; }

  /// Has the tree looked at, if it has been silent for a second or more and it is time again.
  void look_if_silent(time now);

  /// Ends without a start, or without the custodian.
  void fail(error why);
  /// Ends because the reactor does: as far as its keeper has told how, else interrupted, or without a start.
  void abandon();

  /// Leader and pipes are at their end, and something may be left of the tree.
  bool wants_leftovers_killed() const noexcept;
  bool is_over() const noexcept;

  /// Tells the listener; nothing may be called afterwards.
  void tell_end();

  /// Tells progress, if there is any and the last was long enough ago. True if some waits for its time.
  bool tell_progress(time now);

 private:
  struct stream {
    std::string kept;
    std::int64_t bytes = 0;
    line_watch lines;
  };

  void read(file_descriptor& from, stream& into, std::string& buffer);
  void take(const custody::keeper_record& record);
  void drain_and_close();
  void lose();
  void tell_silence(std::chrono::microseconds cpu_time, time now);
  error start_failure(const custody::keeper_record& record) const;
  error too_large() const;

  process_request request_;
  process_listener listener_;
  file_descriptor input_;
  file_descriptor output_;
  file_descriptor errors_;
  file_descriptor control_;
  std::size_t input_written_ = 0;
  stream printed_;
  stream complained_;
  const line_watch* newest_lines_ = &printed_.lines;
  bool limit_told_ = false;
  bool progress_is_new_ = false;
  time progress_told_;
  std::shared_ptr<custodian_proof> custodian_;
  start_state start_ = start_state::under_way;
  time asked_at_;
  time started_at_;
  time last_byte_at_;  // not before started_at_
  time look_asked_at_;
  time looked_at_;
  std::chrono::microseconds cpu_looked_at_{0};
  bool kill_sent_ = false;
  bool has_exited_ = false;
  bool gone_ = false;
  process_end end_;
};

}  // namespace troupe
