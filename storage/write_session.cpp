#include "storage/write_session.hpp"

#include "storage/blobs.hpp"
#include "storage/budgets.hpp"
#include "storage/database.hpp"
#include "storage/gates.hpp"
#include "storage/known_rows.hpp"
#include "storage/maintenance.hpp"
#include "storage/migrations.hpp"
#include "storage/outputs.hpp"
#include "storage/runs.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/statements.hpp"
#include "storage/stored_names.hpp"
#include "storage/supersteps.hpp"
#include "storage/tasks.hpp"
#include "storage/write_keys.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe {
namespace {

status carry_out(run_change& change, const start_attempt& told) { return start(change, told); }

status carry_out(run_change& change, const record_output& told) { return record(change, told); }

status carry_out(run_change& change, const finish_attempt& told) { return finish(change, told); }

status carry_out(run_change& change, const commit_superstep& told) { return commit(change, told); }

status carry_out(run_change& change, const end_run& told) { return end(change, told); }

status carry_out(run_change& change, const resume_run& told) { return resume(change, told); }

status carry_out(run_change& change, const open_gate& told) { return open(change, told); }

status carry_out(run_change& change, const decide_gate& told) { return decide(change, told); }

status carry_out(run_change& change, const expire_gate& told) { return expire(change, told); }

status carry_out(run_change& change, const reserve_budget& told) { return reserve(change, told); }

timestamp time_of(const decide_gate& told) { return told.decision.at; }

template <class Command>
timestamp time_of(const Command& told) {
  return told.at;
}

using pressed_runs = std::unordered_set<run_id>;

struct work_place {
  statement_cache& sql;
  known_rows& known;
  lease_epoch epoch;
  pressed_runs& pressed;
  bool waited;
};

// Told once when commands of a run begin to wait for their turn, and once when one has not.
void tell_pressure(const work_place& at, run_change& change) {
  if (at.waited && at.pressed.insert(change.run()).second) {
    change.tell(event_kind::backpressure_on, "{}");
  } else if (!at.waited && at.pressed.erase(change.run()) > 0) {
    change.tell(event_kind::backpressure_off, "{}");
  }
}

result<run_change> change_by(const work_place& at, const create_run& told, const std::optional<run_row>& /*row*/) {
  return create(at.sql, at.known, at.epoch, told);
}

template <class Command>
result<run_change> change_by(const work_place& at, const Command& told, const std::optional<run_row>& row) {
  if (!row) {
    return error{error_code::not_found, "there is no run " + told.run.str(), ""};
  }
  if (is_final(row->state)) {
    return too_late("run " + told.run.str() + " is " + std::string{to_string(row->state)} + " already");
  }
  run_change change{at.sql, at.known, at.epoch, told.run, time_of(told), *row};
  if (auto carried = carry_out(change, told); !carried) {
    return carried.error();
  }
  if (!is_final(change.row().state)) {  // nothing follows the end of a run
    tell_pressure(at, change);
  }
  return change;
}

// What a run has used up is told with the end of each of its attempts, however often that is asked for.
write_receipt with_budget(const work_place& at, const write_command& command, write_receipt receipt) {
  if (std::holds_alternative<finish_attempt>(command)) {
    receipt.over_budget = find_overrun(at.sql, at.known, run_of(command));
  }
  return receipt;
}

// A refusal may be of a command that was committed before: then it gets the answer that it had.
result<applied> refuse(const work_place& at, const write_command& command, error why) {
  auto known = find_key(at.sql, command);
  if (!known) {
    return known.error();
  }
  if (*known) {
    return applied{with_budget(at, command, *std::move(*known)), {}};
  }
  return why;
}

// Nobody asks whether the key is free: a repeat is out of turn, as a rule, and the table itself refuses the rest.
result<applied> apply_once(const work_place& at, const write_command& command) {
  const auto row = find_run_at_work(at.sql, at.known, run_of(command));
  auto change = std::visit([&](const auto& told) { return change_by(at, told, row); }, command);
  if (!change) {
    return refuse(at, command, change.error());
  }
  auto events = change->finish();
  const auto last = change->row().last;
  if (!take_key(at.sql, command, last)) {
    return refuse(at, command, illegal(std::string{kind_of(command)} + " has a key that cannot be read"));
  }
  if (is_final(change->row().state)) {
    at.pressed.erase(change->run());
  }
  return applied{with_budget(at, command, {last, false, std::nullopt}), std::move(events)};
}

}  // namespace

struct write_session::state {
  state(database opened, lease_epoch owner) : file(std::move(opened)), sql(file.connection()), epoch(owner) {
    sqlite3_wal_hook(file.connection().getHandle(), after_commit, this);  // in the place of SQLite's own
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  // As SQLite's own does: a checkpoint that fails is tried again later, and takes nothing from what was committed.
  static int after_commit(void* self, sqlite3* connection, const char* name, int pages) {
    auto& own = *static_cast<state*>(self);
    own.log_pages = pages;
    if (const auto most = own.file.options().wal_autocheckpoint; most > 0 && pages >= most) {
      sqlite3_wal_checkpoint_v2(connection, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
    return SQLITE_OK;
  }

  bool in_transaction() { return sqlite3_get_autocommit(file.connection().getHandle()) == 0; }

  error poison(error why) {
    broken = true;
    rollback();
    return why;
  }

  void rollback() noexcept {
    open = false;
    so_far.clear();
    known.forget();
    pressed.clear();
    if (in_transaction()) {
      static_cast<void>(sqlite3_exec(file.connection().getHandle(), "ROLLBACK", nullptr, nullptr, nullptr));
    }
  }

  void look_whether_others_wrote() {
    auto found = sql.use("PRAGMA data_version");
    const auto is = found.step() ? found.number(0) : 0;
    if (is != data_version) {
      known.forget();
      data_version = is;
    }
  }

  result<applied> carry_out(const write_command& command, bool waited) {
    try {
      return apply_once({sql, known, epoch, pressed, waited}, command);
    } catch (const SQLite::Exception& thrown) {
      auto why = sqlite_error(thrown, std::string{kind_of(command)} + " was not written", file.options().path);
      if (ends_session(thrown.getErrorCode()) || !in_transaction()) {
        return poison(std::move(why));
      }
      return why;
    } catch (const damaged_row& found) {
      return damaged(found);
    }
  }

  // Invariant 1. Savepoints cost a tenth of a commit, and a command that is refused has written nothing as a rule: so
  // they are kept for transactions that have shown themselves to be the exception.
  result<applied> carry_out_apart(const write_command& command, bool waited) {
    if (has_savepoints) {
      sql.run("SAVEPOINT command");
    }
    const auto before = sqlite3_total_changes64(file.connection().getHandle());
    auto outcome = carry_out(command, waited);
    if (broken) {
      return outcome;
    }
    const bool counts = outcome && !outcome->receipt.repeated;
    const bool has_written = sqlite3_total_changes64(file.connection().getHandle()) != before;
    if (has_savepoints) {
      if (!counts) {
        sql.run("ROLLBACK TO command");
        known.forget();
      }
      sql.run("RELEASE command");
    } else if (!counts && has_written) {
      if (auto repeated = begin_again(); !repeated) {
        return repeated.error();
      }
    }
    return outcome;
  }

  // The transaction up to the last command that counts, which is what it came to the first time.
  status begin_again() {
    sql.run("ROLLBACK");
    known.forget();
    pressed = pressed_before;
    sql.run("BEGIN IMMEDIATE");
    for (const auto& [command, waited] : so_far) {
      if (const auto again = carry_out(*command, waited); !again) {
        return broken ? again.error() : poison(again.error());
      }
    }
    has_savepoints = true;
    return done;
  }

  // For what is one transaction with nothing to keep apart in it.
  error failed(const SQLite::Exception& thrown, std::string_view doing) {
    auto why = sqlite_error(thrown, doing, file.options().path);
    if (ends_session(thrown.getErrorCode())) {
      return poison(std::move(why));
    }
    rollback();
    return why;
  }

  error refused(std::string what) {
    return {error_code::internal, std::move(what), "this is a bug of Troupe's: please report it"};
  }

  error foreign(const write_command& command, lease_epoch sender) const {
    return {error_code::stale_epoch,
            std::string{kind_of(command)} + " was told under epoch " + std::to_string(sender.value()) +
                ", this writer has epoch " + std::to_string(epoch.value()) + "; nothing was written",
            "the sender's lease is over; it must not write any more"};
  }

  error is_broken() {
    return {error_code::storage_unavailable,
            "this session failed before and writes nothing any more: " + file.options().path.string(),
            "ask again: the next session knows what was committed"};
  }

  database file;
  statement_cache sql;
  known_rows known;
  std::int64_t data_version = 0;  ///< Changes when another connection has written.
  lease_epoch epoch;
  pressed_runs pressed;         ///< Those whose commands wait for their turn.
  pressed_runs pressed_before;  ///< When the transaction began.
  std::vector<std::pair<std::shared_ptr<const write_command>, bool>>
      so_far;                   ///< In this transaction; whether it waited.
  bool has_savepoints = false;  ///< For what comes in this transaction.
  std::int64_t log_pages = 0;
  bool open = false;  ///< A transaction that we began, and have not ended.
  bool broken = false;
  bool superseded = false;  ///< Another owner has come: not even statistics are ours to write.
  int next_shard = 0;       ///< Where the collection of blobs goes on.
};

write_session::write_session(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

write_session::~write_session() {
  state_->rollback();
  if (!state_->broken && !state_->superseded) {
    state_->file.tidy();
  }
}

result<std::unique_ptr<write_session>> write_session::open(const storage_options& options, lease_epoch epoch) {
  auto opened = database::open(options);
  if (!opened) {
    return opened.error();
  }
  if (auto migrated = migrate(*opened, migration_sources()); !migrated) {
    return migrated.error();
  }
  return std::unique_ptr<write_session>{new write_session{std::make_unique<state>(*std::move(opened), epoch)}};
}

status write_session::begin() {
  auto& own = *state_;
  if (own.broken) {
    return own.is_broken();
  }
  if (own.open) {
    return own.refused("a transaction is open already");
  }
  try {
    own.sql.run("BEGIN IMMEDIATE");
    own.open = true;
    own.has_savepoints = false;
    own.pressed_before = own.pressed;
    own.look_whether_others_wrote();
    auto lease = own.sql.use("SELECT epoch FROM lease WHERE id = 1");
    if (lease.step() && lease.number(0) > own.epoch.value()) {
      error stale{error_code::stale_epoch,
                  "epoch " + std::to_string(lease.number(0)) + " owns the database, this writer has epoch " +
                      std::to_string(own.epoch.value()) + "; nothing was written",
                  "another process took the lease over; this one must not write any more"};
      own.superseded = true;
      own.rollback();
      return stale;
    }
    return done;
  } catch (const SQLite::Exception& thrown) {
    auto why = sqlite_error(thrown, "cannot begin a transaction", own.file.options().path);
    if (why.code == error_code::storage_busy) {
      own.rollback();
      return why;
    }
    return own.poison(std::move(why));
  }
}

result<applied> write_session::apply(const write_command& command) {
  return apply(std::make_shared<const write_command>(command), {state_->epoch});
}

result<applied> write_session::apply(std::shared_ptr<const write_command> command, const write_terms& terms) {
  auto& own = *state_;
  if (own.broken) {
    return own.is_broken();
  }
  if (!own.open) {
    return own.refused("no transaction is open");
  }
  if (terms.epoch != own.epoch) {
    return own.foreign(*command, terms.epoch);
  }
  if (auto there = blobs_are_there(own.file.options().path, *command); !there) {
    return there.error();
  }
  try {
    auto outcome = own.carry_out_apart(*command, terms.waited);
    if (outcome && !outcome->receipt.repeated) {
      own.so_far.emplace_back(std::move(command), terms.waited);
    }
    return outcome;
  } catch (const SQLite::Exception& thrown) {
    return own.poison(sqlite_error(thrown, "cannot keep commands apart", own.file.options().path));
  } catch (...) {
    static_cast<void>(own.poison({}));  // a bug of ours, or no memory: half a command must not be committed
    throw;
  }
}

status write_session::commit() {
  auto& own = *state_;
  if (own.broken) {
    return own.is_broken();
  }
  if (!own.open) {
    return own.refused("no transaction is open");
  }
  if (auto ordered = own.file.options().before_commit ? own.file.options().before_commit() : std::nullopt) {
    if (ordered->code == error_code::storage_busy) {
      own.rollback();
      return *std::move(ordered);
    }
    return own.poison(*std::move(ordered));
  }
  try {
    own.sql.run("COMMIT");
    own.open = false;
    own.so_far.clear();
    return done;
  } catch (const SQLite::Exception& thrown) {
    return own.poison(sqlite_error(thrown,
                                   "the commit failed, and whether it is on disk is known only when asked again",
                                   own.file.options().path));
  }
}

result<freed_pages> write_session::give_back(std::int64_t pages, const std::function<bool()>& go_on) {
  if (auto begun = begin(); !begun) {
    return begun.error();
  }
  freed_pages freed;
  try {
    freed.count = give_back_pages(state_->sql, pages, go_on);
    freed.size = measure(state_->file.connection());
  } catch (const SQLite::Exception& thrown) {
    return state_->failed(thrown, "no page was given back");
  }
  if (auto committed = commit(); !committed) {
    return committed.error();
  }
  return freed;
}

result<shrink_end> write_session::carry_log_over() {
  if (state_->broken) {
    return state_->is_broken();
  }
  if (state_->open) {
    return state_->refused("the log cannot be carried over inside a transaction");
  }
  try {
    return troupe::carry_log_over(state_->sql);
  } catch (const SQLite::Exception& thrown) {
    return state_->failed(thrown, "the log was not carried over");
  }
}

status write_session::record(const vacuum_report& pass) {
  if (auto begun = begin(); !begun) {
    return begun;
  }
  try {
    write_pass(state_->sql, pass);
  } catch (const SQLite::Exception& thrown) {
    return state_->failed(thrown, "the pass of vacuum was not recorded");
  }
  return commit();
}

bool write_session::has_told_pressure(const run_id& run) const { return state_->pressed.contains(run); }

void write_session::rollback() noexcept { state_->rollback(); }

std::int64_t write_session::log_pages() const noexcept { return state_->log_pages; }

result<blob_collection> write_session::collect_blobs(std::int64_t limit) {
  auto& own = *state_;
  if (own.broken) {
    return own.is_broken();
  }
  if (own.open) {
    return own.refused("a transaction is open");
  }
  blob_collection sum;
  try {
    sum.whole = has_no_blobs(own.sql, own.file.options());
    while (!sum.whole && sum.seen + sum.rows < limit) {
      if (auto collected = collect_shard(*this, own.sql, own.file.options(), own.next_shard, sum); !collected) {
        return collected.error();
      }
      own.next_shard = (own.next_shard + 1) % blob_shards;
      sum.whole = own.next_shard == 0;
    }
    return sum;
  } catch (const SQLite::Exception& thrown) {
    return own.poison(sqlite_error(thrown, "cannot collect large outputs", own.file.options().path));
  }
}

bool write_session::broken() const noexcept { return state_->broken; }

}  // namespace troupe
