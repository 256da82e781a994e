// The one connection that writes: facts in, rows and events out, many facts to a transaction.
//
//   session->begin();
//   for each command: session->apply(command)   // a bad one fails alone
//   session->commit();                          // only now is anything true
#pragma once

#include "messages/maintenance.hpp"
#include "messages/writes.hpp"
#include "storage/blob_collection.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace troupe {

/// What a command comes to once its transaction is committed; nobody may see it before.
struct applied {
  write_receipt receipt;
  event_batch events;  ///< In order of seq. Empty for a repeat.
};

/// How a command came.
struct write_terms {
  lease_epoch epoch;    ///< Of the lease that its sender works under.
  bool waited = false;  ///< For its turn to be sent. Its run is told: backpressure.on, and .off when one comes at once.
};

/// Pages that a slice of vacuum gave back, and what the file has afterwards.
struct freed_pages {
  std::int64_t count = 0;
  database_size size;
};

/// Used by one thread at a time. Every call may block on the disk.
///
/// Invariants (each with a test in tests/storage/write_session_test.cpp):
///   1. A command that is refused leaves nothing behind, and no other command of its transaction notices.
///   2. Events of a run are numbered from 1 without gaps, and exist exactly when the change does that they tell.
///   3. The same command twice has one effect; the same key with other content changes nothing.
///   4. Final states absorb: nothing is written to a run that has ended.
///   5. After a failed COMMIT, or an error of the disk, nothing is written through this session any more.
class write_session {
 public:
  /// Opens for writing and migrates. `epoch` is the lease's (storage/lease.hpp). Errors: as database::open and migrate.
  static result<std::unique_ptr<write_session>> open(const storage_options& options, lease_epoch epoch);

  write_session(const write_session&) = delete;
  write_session& operator=(const write_session&) = delete;
  ~write_session();  ///< Rolls back what is open, then closes as ST-11 says.

  /// BEGIN IMMEDIATE. STALE_EPOCH: another owner has come, and this session can never write again. STORAGE_BUSY:
  /// another program writes; try again. After any error no transaction is open.
  status begin();

  /// Carries out one command inside the open transaction. Errors of the command, which leave nothing of it:
  ///   NOT_FOUND              no such run, or no such task
  ///   IDEMPOTENCY_VIOLATION  its key is taken by other content; the first content stays
  ///   DUPLICATE_ID           create_run: the run is there without ever having been created by a command (import, fork)
  ///   CANCELLED              it came too late: the run has ended, or the attempt was superseded by a later one. The
  ///                          sender drops its work; it is no fault of anybody's
  ///   INTERNAL               not a legal move of the state machines: a bug of the sender's, worth a log line
  ///   BUDGET_EXCEEDED        reserve_budget: there is not so much left of a budget
  ///   STALE_EPOCH            its sender works under the lease of an owner before
  /// Errors of the disk (STORAGE_*) break the session; the whole transaction is lost.
  ///
  /// record_output with `blobs`: their rows are written here, so their files must be there before (blob_store::put). The
  /// session looks, and where one is missing (a collection was faster) the command fails alone with
  /// STORAGE_UNAVAILABLE: put it again.
  result<applied> apply(std::shared_ptr<const write_command> command, const write_terms& terms);
  result<applied> apply(const write_command& command);  ///< Under the session's own lease, at once.

  /// On success all that was applied is on disk. After an error nobody knows whether it is: the session is broken, and
  /// the senders ask again under the same keys on the next one. Only STORAGE_BUSY by storage_options::before_commit takes
  /// the transaction back and leaves the session whole.
  status commit();

  void rollback() noexcept;

  /// The run was told here that its commands wait (backpressure.on), and of no end of that.
  bool has_told_pressure(const run_id& run) const;

  /// Pages of the log after the last commit. At storage_options::wal_autocheckpoint a commit moves them to the database
  /// itself, which takes its time; before that, a log_checkpoint can.
  std::int64_t log_pages() const noexcept;

  // Maintenance, each in a transaction of its own; none may be open. Errors: as begin, apply and commit of a command.

  /// Gives back at most `pages` free pages, as long as `go_on()` says so, which is asked before each of them.
  result<freed_pages> give_back(std::int64_t pages, const std::function<bool()>& go_on);

  /// Carries the log over into the file, which cuts off the pages that were given back. Waits for nobody.
  result<shrink_end> carry_log_over();

  status record(const vacuum_report& pass);

  /// Removes large outputs that nothing refers to: rows first, then files, also files that never got a row. Slice by
  /// slice until `limit` files were seen or rows removed, or a pass is whole; the next call goes on where this one ended.
  /// In transactions of its own: INTERNAL where one is open. On an error (as begin and commit, and of the folder) what
  /// is left is left to a later call.
  ///
  /// A file that was just put, and waits for its row, may be removed: then its command is refused (see apply), and its
  /// sender puts it again. Never the other way round: looking for a file and writing its row is one write transaction,
  /// seeing no row and removing the file is another, and SQLite carries out one at a time.
  result<blob_collection> collect_blobs(std::int64_t limit);

  /// True after a failed commit or an error of the disk: open another session.
  bool broken() const noexcept;

 private:
  struct state;
  explicit write_session(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
