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

struct consensus_policy;

/// Answers needed of `asked` agents, an aggregator not among them: of a race 1, else the declared quorum, or two thirds,
/// rounded up: 2 of 2, 2 of 3, 3 of 4.
int quorum_of(const consensus_policy& policy, int asked) noexcept;

/// Answers without which there is no result at all: the quorum, or min_answers where that is less.
int fewest_of(const consensus_policy& policy, int asked) noexcept;

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
  std::vector<agent_name> answered;  ///< In the order of the workflow file; of a race in that of the answers.
  std::vector<missing_agent> missing;
  std::optional<agent_name> aggregator;  ///< Of those asked, the last: got the others' answers. Not of the quorum.
  int quorum = 1;
  std::optional<json_text> winner;    ///< The step's result; none for conflict and insufficient.
  double agreement = 0;               ///< Supporters of the winner, over those who answered: 0 to 1.
  std::vector<answer_group> agreed;   ///< What won, with its supporters; vote_each: each element that won.
  std::vector<answer_group> dissent;  ///< What did not win, most supported first, then in canonical order.
  bool degraded = false;              ///< Somebody was missing who was waited for. Never hidden, whatever the status.
  bool emergency = false;             ///< Fewer answers than the quorum, and still a result: min_answers allowed it.
  std::optional<error> why;           ///< conflict: CONSENSUS_CONFLICT, insufficient: QUORUM_NOT_MET.
};

}  // namespace troupe
