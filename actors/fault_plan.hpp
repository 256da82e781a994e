// Failures that somebody ordered, to see retries at work: TROUPE_FAULTS="agent.timeout:2,agent.429:1,storage.busy:3".
//
//   plan  = entry *("," entry)
//   entry = NAME [":" COUNT]   the first COUNT times (1 if left out) that it could happen
//         / NAME ":" PART "%"  in this part of all cases, by the seed
//         / "seed=" NUMBER     0 if left out
//
// Names: agent.timeout agent.429 agent.503 agent.401 agent.exit agent.signal agent.no_output agent.spawn for attempts of
// agents and functions; storage.busy storage.full storage.io for commits. Of two that are due for one attempt or commit
// the one that stands first happens, and the other one waits.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/result.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One entry of the plan, and what became of it.
struct fault_view {
  std::string name;
  std::int64_t count = 0;  ///< How often it is to happen; 0: `percent` says in which part of all cases.
  int percent = 0;
  std::int64_t used = 0;  ///< How often it has happened.
};

/// Any thread; never blocks for long. Counts are exact over all threads. By chance it is decided from the seed, the name
/// and what it is asked about, so that the same attempts of the same tasks fail whatever their order.
class fault_plan {
 public:
  /// Null for a text of white space. INVALID_INPUT: it is no plan; the hint says what would be one.
  static result<std::shared_ptr<fault_plan>> parse(std::string_view text);

  /// The failure that this attempt has in the place of its work, if one is due. Its message says that it was injected.
  std::optional<error> take_for(const task_id& task, attempt_no attempt);

  /// The failure that the next commit has, if one is due.
  std::optional<error> take_for_commit();

  /// In the order of the text.
  std::vector<fault_view> view() const;

 private:
  struct entry {
    fault_view told;
    std::size_t what = 0;  ///< Index of the table of names.
  };
  enum class place { attempt, commit };

  fault_plan() = default;
  status add(std::string_view written);
  bool is_due(const entry& each, std::string_view about) const;
  std::optional<error> take(place where, std::string_view about);

  mutable std::mutex guard_;
  std::vector<entry> entries_;
  std::uint64_t seed_ = 0;
  bool has_seed_ = false;
  std::int64_t commits_ = 0;
};

/// `agent.429: 1 of 2`, `agent.exit: 10 %, 3 so far`.
std::string to_text(const fault_view& view);

}  // namespace troupe
