// When the database is vacuumed, and in which steps: the brain.
#pragma once

#include "actors/vacuum/slice_pace.hpp"
#include "messages/maintenance.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace troupe {

/// [vacuum], and what is no setting.
struct vacuum_rules {
  time_of_day at;  ///< UTC.
  milliseconds check_every{60'000};
  milliseconds slice{10};
  int free_percent = 5;
  std::int64_t free_bytes = std::int64_t{1} << 20U;

  /// Below this nobody begins a pass by himself: moving pages writes to the log before it frees anything.
  std::int64_t disk_reserve_bytes = std::int64_t{16} << 20U;
};

/// Decides; does nothing. One thing is under way at a time: each effect is answered by one call, and that gives the next.
///
/// Invariants (each with a test in tests/actors/vacuum/vacuum_plan_test.cpp):
///   1. A pass begins by itself when more is free than free_percent and free_bytes, or when the daily one is due; it
///      ends at half of free_percent, a daily or manual one when nothing is free, or when all that was free at its
///      beginning has been given back and others have freed more, as far as that is little.
///   2. What was freed is cut off the file every few MiB and at the end, so that no cut is long.
///   3. A writer that is busy is left alone for longer each time, but a pass gets on: after a quarter of a second in
///      which nothing was freed, it takes its turn.
///   4. Errors end a pass after three tries, and are told; the next look comes later each time, at most an hour.
///   5. Nothing is asked for at rest but the size of the file, every check_every.
class vacuum_plan {
 public:
  /// The time of day, for rows and the daily pass, and a point on a steady clock, for lengths.
  struct moment {
    timestamp day;
    std::chrono::steady_clock::time_point steady;
  };

  /// What is under way goes on.
  struct nothing {};

  /// Then woken().
  struct rest {
    milliseconds pause;
  };

  /// Ask for size and history: looked().
  struct look {};

  /// freed(), or writer_was_busy().
  struct free_some {
    vacuum_slice what;
  };

  /// shrunk(), or writer_was_busy().
  struct shrink {
    maintenance_turn turn;
  };

  /// The pass has ended: written().
  struct write_down {
    vacuum_report pass;
  };

  using effect = std::variant<nothing, rest, look, free_some, shrink, write_down>;

  vacuum_plan(const vacuum_rules& rules, moment born);

  /// The first effect.
  effect begin() const;

  effect woken(moment now);
  effect looked(const maintenance_view& found, moment now);
  effect freed(const vacuum_progress& told, moment now);
  effect shrunk(const file_shrunk& told, moment now);
  effect writer_was_busy(moment now);
  effect written(moment now);

  /// Instead of the answer to whatever was asked for last.
  effect failed(const error& why, moment now);

  /// Somebody wants a pass: the one under way becomes it, unless it is just being written down.
  effect asked(moment now);

  /// Nothing is under way, and nobody waits for a pass.
  bool is_at_rest() const noexcept { return phase_ == phase::resting; }
  vacuum_view view(moment now) const;

 private:
  enum class phase { resting, looking, pausing, freeing, shrinking, writing };

  struct pass {
    vacuum_reason reason;
    moment started;
    database_size before;
    std::int64_t freed_pages = 0;
    std::int64_t slices = 0;
    std::chrono::microseconds longest_slice{};
    std::int64_t bytes_to_cut = 0;  ///< Freed, and still in the file.
    std::chrono::steady_clock::time_point got_on;
    int tries = 0;      ///< That failed, one after the other.
    int cuts_held = 0;  ///< By readers, at the end.
  };

  effect take_rest(moment now);
  effect pause(milliseconds length);
  effect step(moment now);
  effect finish(moment now, std::optional<error> why);
  std::optional<vacuum_reason> reason_to_begin(const maintenance_view& found, moment now);
  bool is_enough(const database_size& size) const;
  std::optional<timestamp> last_success(moment now) const;
  bool is_daily_due(moment now) const;
  timestamp last_daily_time(moment now) const;
  maintenance_turn turn(moment now) const;

  vacuum_rules rules_;
  moment born_;
  slice_pace pace_;
  phase phase_ = phase::resting;
  std::optional<pass> pass_;
  database_size size_;
  bool cut_is_due_ = false;  ///< The next step of the pass; at rest: a reader held the last one back.
  bool is_asked_ = false;
  int busy_ = 0;      ///< Answers in a row.
  int failures_ = 0;  ///< Passes and looks in a row.
  vacuum_history history_;
  std::optional<error> last_error_;
};

}  // namespace troupe
