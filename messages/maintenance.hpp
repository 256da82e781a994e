// Keeping the database file small: what vacuum asks of the writer and of the reader, and what it tells of itself.
// These are no facts of runs: they have no key, and to carry one out twice does no harm.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace troupe {

struct database_size {
  std::int64_t page_size = 0;
  std::int64_t page_count = 0;  ///< Of the file, free ones too.
  std::int64_t free_pages = 0;

  std::int64_t bytes() const noexcept { return page_size * page_count; }
  std::int64_t free_bytes() const noexcept { return page_size * free_pages; }

  friend bool operator==(const database_size&, const database_size&) = default;
};

/// Whether maintenance steps aside for commands that wait, or takes its turn among them.
enum class maintenance_turn {
  when_idle,  ///< Answered writer_is_busy while a command waits, and cut short when one comes.
  now,        ///< Between two commits, whoever waits.
};

/// To the writer: give free pages at the end of the file back, live ones moved to the front where they stand in the way.
/// One transaction.
struct vacuum_slice {
  std::int64_t pages = 0;               ///< At most so many.
  std::chrono::microseconds at_most{};  ///< For freeing; the commit comes on top, and takes about as long again.
  maintenance_turn turn = maintenance_turn::when_idle;
};

enum class slice_end {
  pages_freed,   ///< As many as were asked for.
  nothing_left,  ///< No page is free any more.
  out_of_time,
  gave_way,  ///< A command came.
};

struct vacuum_progress {
  std::int64_t freed_pages = 0;
  slice_end end = slice_end::pages_freed;
  database_size size;                ///< Afterwards.
  std::chrono::microseconds took{};  ///< With the commit.
};

/// Commands wait: nothing was done.
struct writer_is_busy {};

using vacuum_answer = result<std::variant<vacuum_progress, writer_is_busy>>;

/// To the writer: carry the log over into the file, which cuts off what slices have freed. Waits for nobody.
struct shrink_file {
  maintenance_turn turn = maintenance_turn::when_idle;
};

enum class shrink_end {
  file_is_cut,
  held_back,  ///< Somebody reads an older state; the file is cut by a later one.
};

struct file_shrunk {
  shrink_end end = shrink_end::file_is_cut;
  std::chrono::microseconds took{};
};

using shrink_answer = result<std::variant<file_shrunk, writer_is_busy>>;

/// Stored in maintenance.summary: never rename.
enum class vacuum_reason { threshold, daily, manual };

std::string_view to_string(vacuum_reason reason) noexcept;
std::optional<vacuum_reason> vacuum_reason_from(std::string_view name) noexcept;

/// One pass over the file, from its first slice to its last.
struct vacuum_report {
  vacuum_reason reason = vacuum_reason::threshold;
  timestamp started_at;
  timestamp finished_at;
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;      ///< Commits meanwhile may have made the file grow.
  std::int64_t reclaimed_bytes = 0;  ///< Of the pages that were freed.
  std::int64_t freed_pages = 0;
  std::int64_t slices = 0;
  std::chrono::microseconds longest_slice{};
  std::chrono::microseconds took{};
  std::optional<error> failure;  ///< Why it stopped before its goal; what it had freed stays free.

  friend bool operator==(const vacuum_report&, const vacuum_report&) = default;
};

/// To the writer: a row of `maintenance`. The newest hundred passes are kept.
struct record_vacuum {
  vacuum_report pass;
};

using record_answer = status;

/// What the rows of `maintenance` say.
struct vacuum_history {
  std::optional<vacuum_report> last;
  std::optional<timestamp> last_success;  ///< When it finished.
};

/// To the reader.
struct maintenance_query {};

struct maintenance_view {
  database_size size;
  std::optional<std::int64_t> disk_free_bytes;  ///< Nothing where the system does not say.
  vacuum_history vacuum;
};

using maintenance_answer = result<maintenance_view>;

/// To the vacuum actor: begin a pass now, or let the one under way go to the end. Answered when it has ended.
struct vacuum_now {};

using vacuum_now_answer = result<vacuum_report>;

/// To the vacuum actor.
struct vacuum_query {};

/// There is a pass every day; two without one are a failure of health (requirement SV-5).
inline constexpr std::chrono::hours vacuum_period{24};

struct vacuum_view {
  bool healthy = true;  ///< The last success, or the start of the actor, is not older than two periods.
  bool working = false;
  vacuum_history history;
  std::optional<error> last_error;  ///< Of the newest pass or look; nothing once one has gone well.
  std::optional<timestamp> next_daily;
};

}  // namespace troupe
