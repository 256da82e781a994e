// Several agents' answers to one verdict. Pure: the same answers give the same verdict, whatever order they came in.
#pragma once

#include "messages/consensus.hpp"
#include "messages/workflow.hpp"

#include <span>

namespace troupe {

/// Answers needed of `asked` agents: the declared quorum, or two thirds, rounded up: 2 of 2, 2 of 3, 3 of 4.
int quorum_of(const consensus_policy& policy, int asked);

/// Fewer answers than the quorum: insufficient. All answered: ok; otherwise degraded. Then, by strategy:
///
///   collect     no judgement. One agent: its answer; several: an object of agent to answer.
///   vote        the answer that most agents gave, compared at `vote_on` after normalising: white space at the ends and
///               runs of it, ASCII case, order of keys, form of numbers. A tie for the first place is a conflict. The
///               winner is the whole answer of the first agent, in the order asked, that gave it.
///   vote_each   the elements, of the list at that pointer, that at least `quorum` agents gave, in the order in which
///               they first appear; two are the same if they agree at every pointer of `vote_by`, or as a whole where
///               none of these leads anywhere. `agreement` is their share of all elements. Never a conflict.
///
/// An answer without what the vote looks at counts as missing, OUTPUT_INVALID. race and aggregate are not for this
/// function: a bug. `asked` gives the order; `answers` may come in any, one for each agent asked.
verdict reach(const consensus_policy& policy, std::span<const agent_name> asked, std::span<const agent_answer> answers);

/// Two answers are the same exactly when these are.
json_text normalised(const json_text& answer);

/// The whole verdict as one object, as rows and events hold it.
json_text to_json(const verdict& reached);

}  // namespace troupe
