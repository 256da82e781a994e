// Answers of agents that are kept, and played in the place of the agents later. Implemented by runtime/cassettes with a
// folder of files.
#pragma once

#include "actors/agent/judgement.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"
#include "messages/run.hpp"

#include <optional>

namespace troupe {

/// How a recorded attempt came to its end.
enum class recorded_end {
  by_itself,  ///< Or by a limit of its own: its time, its output. Then the failure says so.
  too_late,   ///< Its step waited no longer. It is not tried again.
  lost_race,  ///< Another agent of its step had answered. Played, it does not end before it is stopped.
};

struct recorded_answer {
  recorded_end how = recorded_end::by_itself;
  attempt_end end;
  std::optional<token_usage> usage;  ///< For people: played, it is read from the output again.
};

/// Commands and requests over HTTP.
bool asks_an_agent(agent_kind kind) noexcept;

/// What is to be kept of an attempt that came to `outcome`; nothing of one that never had an answer: functions, child
/// runs, attempts that were cancelled, interrupted or refused before anything was asked. Pure.
std::optional<recorded_answer> answer_to_keep(const attempt_order& order,
                                              const attempt_session& session,
                                              const attempt_end& end,
                                              const task_outcome& outcome);

/// Any thread.
class answer_recorder {
 public:
  virtual ~answer_recorder() = default;

  /// Of an attempt whose outcome is committed. Waits for no disk, unless more answers than the recorder holds are not
  /// written yet. One that cannot be written is told in the log: the attempt is none the worse for it.
  virtual void record(const attempt_order& order, const recorded_answer& answer) = 0;
};

/// Any thread.
class answer_player {
 public:
  virtual ~answer_player() = default;

  /// The same for the same order, whoever else asks meanwhile. NOT_FOUND: no such request was recorded; the message names
  /// the nearest one and what differs.
  virtual result<recorded_answer> play(const attempt_order& order) const = 0;
};

}  // namespace troupe
