// Brings the groups of an older database into ours, batch by batch.
//
//   writer->start(now);
//   while (!writer->is_done()) writer->write_batch(now);
//   writer->finish(now, outcome, summary);
//
// A process that is killed between leaves whole batches. The next import recognises the file by its rows, and goes on.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "storage/legacy_source.hpp"
#include "storage/storage_options.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace troupe {

/// What became of the rows of one table: those that are in a group.
struct legacy_tally {
  std::int64_t imported = 0;
  std::int64_t already = 0;  ///< Here since an earlier import.
  std::int64_t changed = 0;  ///< Here with other content, which was left as it is.
};

struct legacy_counts {
  std::array<legacy_tally, legacy_tables.size()> tables;
  std::int64_t consensuses = 0;  ///< New rows of consensus_runs.
  std::int64_t outputs = 0;      ///< New rows of agent_outputs.

  legacy_tally& of(legacy_table table) { return tables.at(static_cast<std::size_t>(table)); }
  const legacy_tally& of(legacy_table table) const { return tables.at(static_cast<std::size_t>(table)); }
};

/// One thread. Every call may block on the disk. Only under the lease: STALE_EPOCH when another owner has come.
///
/// Invariants (each with a test in tests/storage/legacy_import_test.cpp):
///   1. A row of a source is here at most once: enforced by the key of imported_rows.
///   2. A batch is there in whole, or not at all; a group is never spread over two batches.
///   3. Rows that are here are never changed, but for a consensus of this import that gets its synthesis later.
///   4. Where (spec_id, stage, run_timestamp) is taken, the new consensus takes the next free millisecond.
class legacy_writer {
 public:
  /// Rows of the source in one transaction, as far as whole groups allow.
  static constexpr std::int64_t batch_rows = 1'000;

  enum class outcome { complete, incomplete };

  /// `source` must outlive it. Errors: as database::open and migrate.
  static result<std::unique_ptr<legacy_writer>> open(const storage_options& options,
                                                     lease_epoch epoch,
                                                     legacy_source& source);

  legacy_writer(const legacy_writer&) = delete;
  legacy_writer& operator=(const legacy_writer&) = delete;
  ~legacy_writer();

  /// Writes the row of `maintenance` that tells of this import.
  status start(timestamp at);
  /// One transaction. After an error nothing of it is there, and what was written before stays.
  status write_batch(timestamp at);
  bool is_done() const noexcept;
  status finish(timestamp at, outcome how, const json_text& summary);

  /// Of what is committed.
  const legacy_counts& counts() const noexcept;
  std::int64_t rows_done() const noexcept;

 private:
  struct state;
  explicit legacy_writer(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
