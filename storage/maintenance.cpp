#include "storage/maintenance.hpp"

#include "storage/json_object.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>

#include <string>

namespace troupe {
namespace {

std::string summary_of(const vacuum_report& pass) {
  json_object summary;
  summary.add("reason", to_string(pass.reason))
      .add("bytes_before", pass.bytes_before)
      .add("bytes_after", pass.bytes_after)
      .add("reclaimed_bytes", pass.reclaimed_bytes)
      .add("freed_pages", pass.freed_pages)
      .add("slices", pass.slices)
      .add("longest_slice_us", pass.longest_slice.count())
      .add("took_us", pass.took.count());
  if (pass.failure) {
    summary.add("error_code", to_string(pass.failure->code))
        .add("error", pass.failure->message)
        .add("hint", pass.failure->hint);
  }
  return summary.str();
}

// What an older build has not written is 0 or empty; SQLite gives NULL for it.
vacuum_report report_of(const prepared& row) {
  vacuum_report pass;
  pass.started_at = row.time(0);
  pass.finished_at = row.time_if(1).value_or(pass.started_at);
  pass.reason = vacuum_reason_from(row.text(3)).value_or(vacuum_reason::threshold);
  pass.bytes_before = row.number(4);
  pass.bytes_after = row.number(5);
  pass.freed_pages = row.number(6);
  pass.slices = row.number(7);
  pass.longest_slice = std::chrono::microseconds{row.number(8)};
  pass.took = std::chrono::microseconds{row.number(9)};
  pass.reclaimed_bytes = row.number(10);
  if (!row.truth(2)) {
    pass.failure = error{error_code_from(row.text(11)).value_or(error_code::internal), row.text(12), row.text(13)};
  }
  return pass;
}

}  // namespace

database_size measure(SQLite::Database& connection) {
  const auto number = [&](const char* pragma) { return connection.execAndGet(pragma).getInt64(); };
  return {number("PRAGMA page_size"), number("PRAGMA page_count"), number("PRAGMA freelist_count")};
}

std::int64_t give_back_pages(statement_cache& sql, std::int64_t pages, const std::function<bool()>& go_on) {
  auto freeing = sql.use("PRAGMA incremental_vacuum");  // each step frees one page and gives a row without columns
  std::int64_t freed = 0;
  while (freed < pages && go_on() && freeing.step()) {
    ++freed;
  }
  return freed;
}

shrink_end carry_log_over(statement_cache& sql) {
  auto row = sql.use("PRAGMA wal_checkpoint(PASSIVE)");
  // Whether it could not begin; frames in the log; frames carried over. The file is cut once they are all over.
  const bool all = row.step() && row.number(0) == 0 && row.number(1) == row.number(2);
  return all ? shrink_end::file_is_cut : shrink_end::held_back;
}

void write_pass(statement_cache& sql, const vacuum_report& pass) {
  sql.use("INSERT INTO maintenance (kind, started_at, finished_at, succeeded, summary) VALUES ('vacuum', ?, ?, ?, ?)",
          pass.started_at,
          pass.finished_at,
          !pass.failure.has_value(),
          summary_of(pass))
      .run();
  sql.use(
         "DELETE FROM maintenance WHERE kind = 'vacuum' AND id <="
         " (SELECT id FROM maintenance WHERE kind = 'vacuum' ORDER BY id DESC LIMIT 1 OFFSET 100)")
      .run();
}

vacuum_history read_history(statement_cache& sql) {
  vacuum_history history;
  auto last = sql.use(
      "SELECT started_at, finished_at, succeeded, summary ->> 'reason', summary ->> 'bytes_before',"
      " summary ->> 'bytes_after', summary ->> 'freed_pages', summary ->> 'slices', summary ->> 'longest_slice_us',"
      " summary ->> 'took_us', summary ->> 'reclaimed_bytes', summary ->> 'error_code', summary ->> 'error', summary "
      "->> 'hint'"
      " FROM maintenance WHERE kind = 'vacuum' ORDER BY id DESC LIMIT 1");
  if (last.step()) {
    history.last = report_of(last);
  }
  // The newest by number: the clock may have been set back since.
  auto success =
      sql.use("SELECT finished_at FROM maintenance WHERE kind = 'vacuum' AND succeeded ORDER BY id DESC LIMIT 1");
  if (success.step()) {
    history.last_success = success.time_if(0);
  }
  return history;
}

}  // namespace troupe
