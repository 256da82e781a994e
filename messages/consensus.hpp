// How several agents' outputs become one result: the question and the answer of a pure function.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Stored by name in consensus rows and events: never rename.
enum class verdict_status { ok, degraded, conflict, insufficient };

std::string_view to_string(verdict_status status) noexcept;

/// What one agent of a step gave: a value, or why there is none.
struct agent_answer {
  agent_name agent;
  std::optional<json_text> value;
  std::optional<error> why_missing;
  std::string model{};  ///< As configured; empty where none is.
};

/// One of the different answers, with those who gave it, in the order of the workflow file.
struct answer_group {
  json_text value;
  std::vector<agent_name> agents;
};

struct missing_agent {
  agent_name agent;
  error why;
};

struct verdict {
  verdict_status status = verdict_status::ok;
  std::vector<agent_name> asked;
  std::vector<agent_name> answered;
  std::vector<missing_agent> missing;
  int quorum = 1;
  std::optional<json_text> winner;    ///< The step's result; none for conflict and insufficient.
  double agreement = 0;               ///< Supporters of the winner, over those who answered: 0 to 1.
  std::vector<answer_group> agreed;   ///< vote_each: the elements that at least `quorum` agents gave.
  std::vector<answer_group> dissent;  ///< What did not win, most supported first, then in canonical order.
  bool degraded = false;              ///< Somebody was missing. Never hidden, whatever the status.
  std::optional<error> why;           ///< conflict: CONSENSUS_CONFLICT, insufficient: QUORUM_NOT_MET.
};

}  // namespace troupe
