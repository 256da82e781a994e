// A run carried out once more by its plan, from its journal alone: the same tasks, the recorded outcomes in the place of
// agents, and everything that comes of them compared with what was committed.
#pragma once

#include "actors/run/plan.hpp"
#include "actors/run/replay_mismatch.hpp"
#include "messages/base/result.hpp"
#include "messages/journal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the agents' side knows and a plan does not. Pure functions; either may be empty: then it is not compared.
struct replay_reading {
  /// Of what an attempt is asked, as attempts.request_hash has it.
  std::function<std::string(const attempt_order&)> request_hash;
  /// What the recorded output comes to when it is read again. None where it says nothing by itself: nothing was recorded,
  /// or the attempt was stopped from outside. An error of the disk is an outcome that failed.
  std::function<std::optional<task_outcome>(const attempt_order&, const recorded_attempt&)> read_again;
};

enum class replay_mode {
  strict,   ///< Ends with the first superstep that differs.
  lenient,  ///< Lists all, and goes on with what is recorded.
};

/// Feed it the supersteps of a run in order, from its first row to its open superstep; then finish().
///
/// Deterministic: no clock, no randomness, no I/O, no process, no network. One thread. Takes time in the size of what it is
/// fed, and memory in the size of one superstep. A superstep that is not committed is compared as far as its
/// commit before it made it.
///
/// What cannot be seen: an attempt that was replaced by a later one, but for what it was asked; a deadline or a stop, which
/// comes from a clock; whether an earlier agent was missing from a result.
class run_replay {
 public:
  /// INVALID_INPUT: the run's inputs are not JSON, or its first rows cannot be made of them.
  static result<run_replay> begin(workflow_ptr flow,
                                  std::shared_ptr<const executors> with,
                                  const run_view& run,
                                  replay_reading reading,
                                  replay_mode mode);

  /// False: what follows is of no interest any more.
  bool check(const recorded_superstep& recorded);

  /// After the last: what the run came to, and rows that never came.
  void finish();

  /// In the order in which they were found.
  const std::vector<replay_mismatch>& mismatches() const noexcept { return mismatches_; }
  std::int64_t supersteps() const noexcept { return supersteps_; }  ///< Committed, and compared.
  std::int64_t tasks() const noexcept { return tasks_; }            ///< Of these, carried out again.

 private:
  // What the commit before makes of a superstep.
  struct expectation {
    superstep_standing standing;
    std::vector<planned_task> front;
    std::vector<gate_opening> gates;
    std::optional<run_end> end;
  };

  run_replay() = default;

  bool goes_on() const { return mode_ == replay_mode::lenient || mismatches_.empty(); }
  void mismatch(replay_subject what, std::string message, std::string expected = {}, std::string actual = {});
  void differ(replay_subject what, const std::string& name, std::string_view recorded, std::string_view replayed);

  // replay.cpp
  void tell_missing(superstep_no until);
  void check_first(const recorded_superstep& recorded);
  void carry_out(const recorded_superstep& recorded);
  bool open_plan(const recorded_superstep& recorded);
  bool feed(const recorded_superstep& recorded);
  std::vector<gate_view> gates_at(const recorded_superstep& recorded);
  void close(const recorded_superstep& recorded);
  void check_deltas(const recorded_superstep& recorded, const json_text& replayed);
  void check_end();

  // replay_opening.cpp
  static std::string front_text(const std::vector<planned_task>& tasks);
  void check_opening(const recorded_superstep& recorded);
  void check_gates(const recorded_superstep& recorded, const std::vector<gate_opening>& expected);
  void check_front(const recorded_superstep& recorded, const std::vector<planned_task>& expected);
  std::optional<std::vector<planned_task>> front_of(const recorded_superstep& recorded) const;

  workflow_ptr flow_;
  std::shared_ptr<const step_index> index_;
  std::shared_ptr<const executors> with_;
  run_view run_;
  replay_reading reading_;
  replay_mode mode_ = replay_mode::strict;
  json_text initial_state_;
  superstep_no next_;                    // that is to come
  superstep_no at_;                      // that is looked at
  std::optional<plan> plan_;             // in accord with the journal so far
  std::vector<planned_task> front_;      // the plan's
  std::optional<expectation> expected_;  // of next_; none where nothing is known of it
  std::optional<json_text> state_;       // after the last superstep, as it is recorded
  std::string state_hash_;               // the same, replayed; empty where it was not
  std::vector<gate_view> gates_;         // of steps: opened, and not taken so far
  std::int64_t executed_ = 0;
  std::vector<replay_mismatch> mismatches_;
  std::int64_t supersteps_ = 0;
  std::int64_t tasks_ = 0;
};

}  // namespace troupe
