// Several agents' answers to one verdict. Pure: the same answers give the same verdict; the order in which they came
// counts for a race alone.
#pragma once

#include "messages/consensus.hpp"
#include "messages/workflow.hpp"

#include <span>

namespace troupe {

/// Fewer answers than the quorum: insufficient; but where they are as many as min_answers, an emergency result, judged
/// among those who are there. All answered: ok; otherwise degraded. Then, by strategy:
///
///   collect     no judgement. One agent: its answer; several: an object of agent to answer.
///   vote        the answer that most agents gave, compared at `vote_on` after normalising: white space at the ends and
///               runs of it, ASCII case, order of keys, form of numbers. A tie for the first place is a conflict. The
///               winner is the whole answer of the first agent, in the order asked, that gave it.
///   vote_each   the elements, of the list at that pointer, that at least `quorum` agents gave (in an emergency: all who
///               answered), in the order in which they first appear; two are the same if they agree at every pointer of
///               `vote_by`, or as a whole where none of these leads anywhere. `agreement` is their share of all
///               elements. Never a conflict.
///   race        the first answer of `answers`; later ones that differ are in dissent. Who has neither an answer nor a
///               reason was not waited for: CANCELLED. With a winner it is ok, and not degraded (docs/adr/0010).
///   aggregate   the answer of policy.aggregator, the last of `asked`; it is not of the quorum. Without one, or where it
///               lacks a part of policy.required, what collect gives of the others, degraded. Below the quorum it is not
///               asked, and the verdict does not name it.
///
/// An answer without what the vote looks at counts as missing, OUTPUT_INVALID. `asked` gives the order; `answers` may
/// come in any but for a race, one for each agent asked.
verdict reach(const consensus_policy& policy, std::span<const agent_name> asked, std::span<const agent_answer> answers);

/// Two answers are the same exactly when these are.
json_text normalised(const json_text& answer);

/// The whole verdict as one object, as rows and events hold it.
json_text to_json(const verdict& reached);

}  // namespace troupe
