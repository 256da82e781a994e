// What the writer does for vacuum between its commits. Plain functions: the actor says who waits, and how late it is.
#pragma once

#include "messages/maintenance.hpp"

#include <chrono>
#include <functional>

namespace troupe {

class write_session;

struct writer_watch {
  std::function<bool()> somebody_waits;
  std::function<std::chrono::steady_clock::time_point()> now;
};

/// writer_is_busy at once where somebody waits and the word is not for now. Blocks for the slice and its commit.
vacuum_answer carry_out(write_session& session, const vacuum_slice& slice, const writer_watch& watch);
shrink_answer carry_out(write_session& session, const shrink_file& shrink, const writer_watch& watch);

/// The row of the pass; and some large outputs that nothing refers to are removed (write_session::collect_blobs).
record_answer carry_out(write_session& session, const record_vacuum& told);

}  // namespace troupe
