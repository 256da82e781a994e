// Which rows of the older system belong to one consensus. Pure: the same rows in any order give the same groups.
#pragma once

#include "storage/legacy_entry.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace troupe {

/// Rows without a run_id that lie further apart than this are not of one consensus.
inline constexpr std::chrono::hours legacy_round_gap{1};

struct legacy_member {
  enum class role {
    output,            ///< An agent's output.
    beside_output,     ///< An execution whose output is that of an artefact: the member `artefact`.
    beside_consensus,  ///< An execution that gave nothing.
    synthesis,
  };

  std::size_t entry = 0;  ///< In the list that was grouped.
  role is = role::output;
  std::size_t artefact = 0;  ///< Only of beside_output; always before it in the group.
};

/// One consensus. At most one member is a synthesis, and it is the last.
struct legacy_group {
  std::vector<legacy_member> members;
  timestamp at;  ///< Of its earliest member.
};

struct legacy_groups {
  std::vector<legacy_group> groups;          ///< By time, so that ids grow with it.
  std::vector<std::size_t> without_content;  ///< Executions that gave nothing and stand alone.
};

/// Every entry is in exactly one group, or in without_content. All members of a group have its spec_id and stage.
///
/// 1. An artefact without run_id takes that of the execution of its spec, stage and agent with the same text.
/// 2. Artefacts and executions with the same run_id, spec and stage are one consensus. The earliest synthesis with that
///    run_id is its synthesis; each later one is a consensus of its own, without outputs.
/// 3. Rows without run_id are read along time, for each spec and stage: a new consensus begins after a synthesis, after a
///    gap of more than legacy_round_gap, and where an agent comes again in the same table.
/// 4. A synthesis without run_id, or whose run_id no other row has, goes to the consensus of its spec and stage that
///    ended last before it, not longer ago than the gap, and has none; otherwise it is a consensus of its own.
/// 5. Within a consensus an execution belongs to the artefact of its agent with the same text, or else, where one of the
///    two has no response_text, to the first that is left; otherwise its text is an output of its own.
legacy_groups group_legacy(const std::vector<legacy_entry>& entries);

}  // namespace troupe
