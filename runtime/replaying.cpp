#include "runtime/replaying.hpp"

#include "actors/agent/read_again.hpp"
#include "actors/agent/request_hash.hpp"
#include "runtime/pinned_run.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr std::int64_t page = 256;  // supersteps

using clock = std::chrono::steady_clock;

// Large outputs are files: read when they are needed, one at a time.
status load(read_session& stored, const std::optional<blob_ref>& file, std::string& into) {
  if (!file) {
    return done;
  }
  auto content = stored.find_file(*file);
  if (!content) {
    return content.error();
  }
  into = *std::move(content);
  return done;
}

std::optional<task_outcome> read_whole(read_session& stored,
                                       const attempt_order& order,
                                       const recorded_attempt& recorded) {
  if (!recorded.files.standard_output && !recorded.files.standard_error) {
    return read_again(order, recorded);
  }
  auto whole = recorded;
  auto loaded = load(stored, recorded.files.standard_output, whole.standard_output);
  if (loaded) {
    loaded = load(stored, recorded.files.standard_error, whole.standard_error);
  }
  if (!loaded) {
    task_outcome unread;
    unread.state = task_state::failed;
    unread.why = loaded.error();
    return unread;
  }
  return read_again(order, whole);
}

}  // namespace

result<std::optional<recorded_superstep>> journal_reader::next() {
  if (at_ == page_.size()) {
    auto more = stored_.list_supersteps(run_, next_, page);
    if (!more) {
      return more.error();
    }
    page_ = *std::move(more);
    at_ = 0;
    if (page_.empty()) {
      return std::optional<recorded_superstep>{};
    }
    next_ = superstep_no{page_.back().row.superstep.value() + 1};
  }
  return std::optional{std::move(page_[at_++])};
}

result<replay_report> replay_run(read_session& stored, const run_id& run, replay_mode mode) {
  const auto begun = clock::now();
  const auto pinned = stored.find_pinned(run);
  if (!pinned) {
    return pinned.error();
  }
  auto material = read_pinned(pinned->run, pinned->workflow_source, pinned->config_source, {});
  if (!material) {
    return material.error();
  }
  replay_reading reading;
  reading.request_hash = request_hash;
  reading.read_again = [&stored](const attempt_order& order, const recorded_attempt& recorded) {
    return read_whole(stored, order, recorded);
  };
  auto replay = run_replay::begin(material->flow, material->with, pinned->run, std::move(reading), mode);
  if (!replay) {
    return replay.error();
  }
  journal_reader journal{stored, run, superstep_no{}};
  while (true) {
    const auto recorded = journal.next();
    if (!recorded) {
      return recorded.error();
    }
    if (!*recorded || !replay->check(**recorded)) {
      break;
    }
  }
  replay->finish();
  replay_report report;
  report.run = run;
  report.supersteps = replay->supersteps();
  report.tasks = replay->tasks();
  report.mismatches = replay->mismatches();
  report.took = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begun);
  return report;
}

}  // namespace troupe
