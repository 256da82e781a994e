// A run told to a person: how it went, who answered, who is missing and why, and what it came to. Pure.
#pragma once

#include "runtime/cli/stored_runs.hpp"
#include "runtime/cli/style.hpp"

#include <string>

namespace troupe {

struct report_look {
  const style& look;
  int columns = 0;     ///< 0: nothing is cut.
  bool whole = false;  ///< -v: every step, every element.
  timestamp now{};     ///< For how long something still waits.
};

/// What `troupe run` prints at the end: state, a verdict for each step with several agents or with trouble, what waits for
/// a decision and how to decide it, result.
std::string run_report(const stored_run& stored, const report_look& with);

/// The result alone, for -q: every element of it.
std::string result_text(const stored_run& stored, const report_look& with);

/// `NO_ROUTE in decide: no condition holds`; empty of a run without an error.
std::string failure_line(const run_view& run);

/// What `troupe show` prints: all that is known of the run, and each of its tasks.
std::string run_details(const stored_run& stored, const report_look& with);

/// The number of the superstep, STEP, AGENT, STATE, ATTEMPT, TIME, the child run that carries it out, and what went wrong.
std::string tasks_table(const stored_run& stored, const report_look& with);

/// Given back, since its child run, the newest it has, waits for somebody: that is no failure.
bool waits_for_child(const task_view& task, const std::vector<run_view>& children);

/// `completed`, `completed, degraded`, `running, abandoned`, in its colour.
std::string state_text(const run_view& run, const style& look);

/// Those that wait for a decision, also in the runs below.
std::vector<gate_view> open_gates(const stored_run& stored);

/// All of the run, and those of the runs below that wait.
std::vector<gate_view> known_gates(const stored_run& stored);

/// How long it took; of one that has not ended, nothing.
std::string duration_text(const run_view& run);

}  // namespace troupe
