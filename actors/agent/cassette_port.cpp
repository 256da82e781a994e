#include "actors/agent/cassette_port.hpp"

namespace troupe {
bool asks_an_agent(agent_kind kind) noexcept {
  switch (kind) {
    case agent_kind::command:
    case agent_kind::http:
      return true;
    case agent_kind::function:
    case agent_kind::workflow:
      return false;
  }
  return false;
}

std::optional<recorded_answer> answer_to_keep(const attempt_order& order,
                                              const attempt_session& session,
                                              const attempt_end& end,
                                              const task_outcome& outcome) {
  if (!asks_an_agent(order.spec.kind) || order.refused || end.custodian_lost) {
    return std::nullopt;
  }
  recorded_answer kept{recorded_end::by_itself, end, outcome.usage};
  if (const auto cause = session.cause()) {
    switch (*cause) {
      case stop_cause::cancelled:
      case stop_cause::interrupted:
        return std::nullopt;
      case stop_cause::timed_out:
        break;
      case stop_cause::lost_race:
        kept.how = recorded_end::lost_race;
        break;
      case stop_cause::too_late:
        kept.how = recorded_end::too_late;
        break;
    }
  }
  // What a limit of ours ended says by nothing that it printed that it was ended.
  const bool was_ended = session.cause() || session.output_too_large();
  if (was_ended && kept.how != recorded_end::lost_race) {
    kept.end.failure = outcome.why;
  }
  return kept;
}

}  // namespace troupe
