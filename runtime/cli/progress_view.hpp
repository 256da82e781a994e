// A run as a few lines that stand for what is going on now. Pure: events and progress in, lines out.
#pragma once

#include "messages/event.hpp"
#include "messages/run.hpp"
#include "runtime/cli/style.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct view_size {
  int columns = 80;
  int rows = 24;
};

class progress_view {
 public:
  void apply(const event& what);
  /// Of a task that runs; of any other it is too late, and ignored.
  void apply(const task_progress& what);

  /// A sentence at the foot, until it is replaced.
  void note(std::string text) { note_ = std::move(text); }

  /// At most `size.rows` - 1 lines, each narrower than `size.columns`. Finished steps give way first.
  std::vector<std::string> lines(timestamp now, view_size size, const style& look) const;

 private:
  struct agent_line {
    task_id task;
    std::string name;
    task_state state = task_state::queued;
    std::int64_t attempt = 0;
    std::optional<timestamp> started;
    std::optional<timestamp> finished;
    std::optional<timestamp> due;          ///< retrying: when it is tried again.
    std::optional<task_progress> silence;  ///< As told last, while it lasts.
    std::string last_words;                ///< Of its output while it runs; afterwards why it failed.
  };

  /// One step in one superstep.
  struct step_lines {
    superstep_no superstep;
    step_id step;
    std::vector<agent_line> agents;
    std::string verdict;
    bool judged_badly = false;
  };

  /// What waits for a person, under the steps.
  struct gate_line {
    superstep_no superstep;
    step_id step;
    std::int64_t level = 1;
    std::string task;
    std::string prompt;  ///< Its first line.
    std::int64_t votes = 1;
    std::int64_t approvals = 0;
    std::optional<timestamp> expires;
  };

  struct layout;

  step_lines& step_of(superstep_no superstep, const step_id& step);
  agent_line* agent_of(const event& what);
  void apply_task(const event& what);
  void apply_consensus(const event& what);
  void apply_gate(const event& what);
  std::vector<std::string> gate_lines(timestamp now, const style& look) const;
  static std::string name_alone(const step_lines& step);
  std::string head(timestamp now, const style& look) const;
  std::vector<std::string> lines_of(const step_lines& step, timestamp now, const layout& with) const;
  static std::vector<const agent_line*> worth_showing(const std::vector<agent_line>& agents);
  static std::string line_of(const agent_line& agent, timestamp now, const layout& with, int indent, int name_width);

  run_id run_;
  std::string workflow_;
  std::optional<timestamp> started_;
  std::optional<timestamp> paused_until_;
  std::vector<step_lines> steps_;  ///< In the order in which they were queued.
  std::vector<gate_line> gates_;   ///< In the order in which they were opened.
  std::string note_;
};

}  // namespace troupe
