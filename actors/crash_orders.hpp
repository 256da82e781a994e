// Deaths that tasks ordered for their own process, to see recovery at work: probe.crash. Whoever passes a point where
// one may be due asks here; while none is ordered that costs a look at one atomic.
#pragma once

#include "messages/base/ids.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe {

/// Where a process dies, in the order in which an attempt passes by.
enum class crash_point {
  before_execute,  ///< The attempt has begun; its function has done nothing.
  after_execute,   ///< The function has done its work; nobody has its reply.
  in_transaction,  ///< The attempt's end is written, within a transaction that is not committed.
  after_commit,    ///< The attempt's end is on disk; neither its sender nor any listener has been told.
  in_publish,      ///< The event of the attempt's end is being told: to one listener of the run, not yet to the others.
};

inline constexpr std::array<std::pair<crash_point, std::string_view>, 5> crash_points{{
    {crash_point::before_execute, "before_execute"},
    {crash_point::after_execute, "after_execute"},
    {crash_point::in_transaction, "in_transaction"},
    {crash_point::after_commit, "after_commit"},
    {crash_point::in_publish, "in_publish"},
}};

std::optional<crash_point> crash_point_from(std::string_view name) noexcept;

/// Any thread; never blocks for long.
class crash_orders {
 public:
  /// `die` ends the process and does not return; in tests it may.
  explicit crash_orders(std::function<void()> die) : die_(std::move(die)) {}

  /// The process is to die when the end of this attempt passes `where`. Of two orders for one attempt the newer counts.
  void order(const task_id& task, attempt_no attempt, crash_point where);

  /// False: nobody needs to ask reach().
  bool any() const noexcept { return any_.load(std::memory_order_acquire); }

  /// Dies, if that is what was ordered for this attempt at this point.
  void reach(crash_point where, const task_id& task, attempt_no attempt);

  /// Dies.
  void die() const { die_(); }

 private:
  std::function<void()> die_;
  std::atomic<bool> any_ = false;
  std::mutex guard_;
  std::map<std::pair<task_id, attempt_no>, crash_point> ordered_;
};

}  // namespace troupe
