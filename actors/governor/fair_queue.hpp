// Who is next: the brain of RT-7.
#pragma once

#include "actors/governor/moment.hpp"
#include "messages/base/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Attempts that wait, in lanes. Within a lane each run has a line; the first of the line with the highest level is
/// next. The level of a line is the priority of its first, and one more for each ageing_step in which the line got
/// nothing, up to 9.
///
/// Invariants (each with a test of that number):
///   1. A higher level goes first; runs of one level take turns, however long their lines are.
///   2. A line that gets nothing rises, so that nobody waits for ever; one that is served falls back to its priority.
///   3. Within a run attempts are served in the order in which they came.
///   4. A lane that is closed holds up no other.
/// Every call costs O(log n), and one step for each lane.
class fair_queue {
 public:
  using lane_no = std::size_t;   ///< From 0.
  using ticket = std::uint64_t;  ///< Of who waits; grows with each that comes.

  static constexpr milliseconds ageing_step{10'000};
  static constexpr int level_max = 9;

  void push(lane_no where, const run_id& run, int priority, ticket who, instant now);

  /// Whether it was there.
  bool remove(ticket who, instant now);

  /// The next among the lanes for which `is_open` says so, with its lane.
  std::optional<std::pair<lane_no, ticket>> front(const std::function<bool(lane_no)>& is_open, instant now);

  /// It is served: its run's line goes behind the others of its level.
  void pop(ticket who, instant now);

  /// All of the lane, in the order in which they came.
  std::vector<ticket> clear(lane_no which);

  std::size_t size() const noexcept { return places_.size(); }
  std::size_t size(lane_no of) const noexcept { return of < lanes_.size() ? lanes_[of].waiting : 0; }

 private:
  struct waiting {
    int priority;
    instant since;
  };

  struct line {
    std::map<ticket, waiting> tickets;
    instant served;  ///< When it last got something; when it came, before that.
    int level = 0;
    std::uint64_t turn = 0;  ///< Of its last move to the back of a level.
    instant rises_at;
  };

  using lines = std::map<run_id, line>;

  struct lane {
    lines by_run;
    std::set<std::tuple<int, std::uint64_t, lines::iterator::pointer>> order;  ///< By -level, turn.
    std::set<std::pair<instant, lines::iterator::pointer>> rising;             ///< Those that are below level_max.
    std::size_t waiting = 0;
  };

  struct place {
    lane_no lane;
    lines::iterator line;
  };

  void take_out(lane& from, lines::value_type& which);
  void put_in(lane& into, lines::value_type& which, instant now);
  void let_rise(lane& in, instant now);
  bool take(ticket who, std::optional<instant> served, instant now);

  std::vector<lane> lanes_;
  std::unordered_map<ticket, place> places_;
  std::uint64_t turns_ = 0;
};

}  // namespace troupe
