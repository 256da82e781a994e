#include "actors/database_writer/maintenance.hpp"

#include "storage/write_session.hpp"

#include <cstdint>
#include <utility>

namespace troupe {
namespace {

constexpr std::int64_t blobs_each_pass = 1'000;  // some milliseconds; the next pass goes on where this one ended

bool steps_aside(maintenance_turn turn, const writer_watch& watch) {
  return turn == maintenance_turn::when_idle && watch.somebody_waits();
}

std::chrono::microseconds since(std::chrono::steady_clock::time_point begun, const writer_watch& watch) {
  return std::chrono::duration_cast<std::chrono::microseconds>(watch.now() - begun);
}

}  // namespace

vacuum_answer carry_out(write_session& session, const vacuum_slice& slice, const writer_watch& watch) {
  if (steps_aside(slice.turn, watch)) {
    return std::variant<vacuum_progress, writer_is_busy>{writer_is_busy{}};
  }
  vacuum_progress progress;
  const auto begun = watch.now();
  bool is_first = true;  // and freed however late it is, so that a slow disk does not stop vacuum for ever
  // One page costs microseconds, but a page that is moved a hundred: looked at before each, so that the slice keeps to
  // its time whatever lies at the end of the file.
  const auto freed = session.give_back(slice.pages, [&] {
    if (steps_aside(slice.turn, watch)) {
      progress.end = slice_end::gave_way;
      return false;
    }
    if (!std::exchange(is_first, false) && since(begun, watch) > slice.at_most) {
      progress.end = slice_end::out_of_time;
      return false;
    }
    return true;
  });
  if (!freed) {
    return freed.error();
  }
  progress.freed_pages = freed->count;
  progress.size = freed->size;
  if (freed->size.free_pages == 0) {
    progress.end = slice_end::nothing_left;
  }
  progress.took = since(begun, watch);
  return std::variant<vacuum_progress, writer_is_busy>{progress};
}

shrink_answer carry_out(write_session& session, const shrink_file& shrink, const writer_watch& watch) {
  if (steps_aside(shrink.turn, watch)) {
    return std::variant<file_shrunk, writer_is_busy>{writer_is_busy{}};
  }
  const auto begun = watch.now();
  const auto end = session.carry_log_over();
  if (!end) {
    return end.error();
  }
  return std::variant<file_shrunk, writer_is_busy>{file_shrunk{*end, since(begun, watch)}};
}

record_answer carry_out(write_session& session, const record_vacuum& told) {
  auto recorded = session.record(told.pass);
  if (recorded) {
    if (const auto collected = session.collect_blobs(blobs_each_pass); !collected) {
      return collected.error();
    }
  }
  return recorded;
}

}  // namespace troupe
