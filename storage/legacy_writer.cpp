#include "storage/legacy_writer.hpp"

#include "storage/consensus_rows.hpp"
#include "storage/database.hpp"
#include "storage/legacy_provenance.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/statements.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

std::int64_t milliseconds_of(timestamp at) { return std::chrono::floor<milliseconds>(at).time_since_epoch().count(); }

borrowed_blob blob_of(const legacy_digest& digest) {
  return {{reinterpret_cast<const char*>(digest.data()), digest.size()}};
}

// The first row of an INSERT ... RETURNING id, run to its end.
std::int64_t id_from(prepared inserted) {
  const bool there = inserted.step();
  const auto id = there ? inserted.number(0) : 0;
  inserted.run();
  return id;
}

}  // namespace

struct legacy_writer::state {
  state(database opened, lease_epoch owner, legacy_source& from)
      : file(std::move(opened)), sql(file.connection()), epoch(owner), source(from) {}

  // --- Transactions ---

  template <class Write>
  status in_transaction(std::string_view doing, Write write) {
    try {
      SQLite::Transaction transaction{file.connection(), SQLite::TransactionBehavior::IMMEDIATE};
      if (auto fenced = fence(); !fenced) {
        return fenced;
      }
      write();
      transaction.commit();
      return done;
    } catch (const SQLite::Exception& thrown) {
      return sqlite_error(thrown, doing, file.options().path);
    }
  }

  status fence() {
    auto lease = sql.use("SELECT epoch FROM lease WHERE id = 1");
    if (lease.step() && lease.number(0) > epoch.value()) {
      superseded = true;
      return error{error_code::stale_epoch,
                   "epoch " + std::to_string(lease.number(0)) + " owns the database, this import has epoch " +
                       std::to_string(epoch.value()) + "; what it committed before is there",
                   "another process took the lease over; import again when it has ended"};
    }
    return done;
  }

  // --- Rows ---

  std::int64_t own_source(timestamp at) {
    if (!source_id) {
      source_id = id_from(sql.use("INSERT INTO import_sources (name, imported_at) VALUES (?, ?) RETURNING id",
                                  repair_utf8(source.path().filename().string()),
                                  at));
    }
    return *source_id;
  }

  std::int64_t insert_consensus(const legacy_group& group) {
    ++counts.consensuses;
    const auto& any = source.entries()[group.members.front().entry];
    return id_from(
        sql.use("INSERT INTO consensus_runs (spec_id, stage, run_timestamp, consensus_ok, degraded) VALUES"
                " (?, ?, ?, 0, 0) RETURNING id",
                any.spec_id,
                any.stage,
                free_run_timestamp(sql, any.spec_id, any.stage, milliseconds_of(group.at))));
  }

  // True if the consensus had none.
  bool give_synthesis(std::int64_t consensus, const legacy_row& row) {
    const auto verdict = verdict_of(row);
    const auto json = json_of(row, {"spec_id", "stage"});
    return sql.run(
               "UPDATE consensus_runs SET consensus_ok = ?2, degraded = ?3, synthesis_json = ?4"
               " WHERE id = ?1 AND synthesis_json IS NULL",
               consensus,
               verdict.reached == legacy_verdict::outcome::reached,
               verdict.answered == legacy_verdict::attendance::degraded,
               json) == 1;
  }

  std::int64_t insert_output(std::int64_t consensus, const legacy_entry& entry, const std::string& content) {
    ++counts.outputs;
    return id_from(
        sql.use("INSERT INTO agent_outputs (run_id, agent_name, content, output_timestamp) VALUES (?, ?, ?, ?)"
                " RETURNING id",
                consensus,
                entry.agent,
                content,
                milliseconds_of(entry.at)));
  }

  void record(const legacy_entry& entry,
              const imported_row& where,
              const std::optional<std::string>& rest,
              timestamp at) {
    sql.run(
        "INSERT INTO imported_rows (table_name, row_key, source_id, content_hash, consensus_id, agent_output_id,"
        " rest, imported_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        to_string(entry.table),
        entry.key,
        own_source(at),
        blob_of(where.digest),
        where.consensus,
        where.output,
        rest,
        at);
    ++counts.of(entry.table).imported;
  }

  // --- Groups ---

  using places = std::vector<std::optional<imported_row>>;

  void write(const legacy_group& group, timestamp at) {
    places known(group.members.size());
    std::optional<std::int64_t> consensus;
    for (std::size_t m = 0; m < known.size(); ++m) {
      const auto& entry = source.entries()[group.members[m].entry];
      known[m] = source_id ? find_imported(sql, *source_id, entry) : std::nullopt;
      if (known[m]) {
        consensus = consensus.value_or(known[m]->consensus);
        auto& tally = counts.of(entry.table);
        ++(known[m]->digest == entry.digest ? tally.already : tally.changed);
      }
    }
    for (std::size_t m = 0; m < known.size(); ++m) {
      if (!known[m]) {
        consensus = consensus ? *consensus : insert_consensus(group);
        known[m] = write_member(group, m, *consensus, known, at);
      }
    }
  }

  imported_row write_member(
      const legacy_group& group, std::size_t m, std::int64_t consensus, const places& known, timestamp at) {
    const auto& member = group.members[m];
    const auto& entry = source.entries()[member.entry];
    const auto row = source.row(entry);
    imported_row where{entry.digest, consensus, std::nullopt};
    std::optional<std::string> rest;
    switch (member.is) {
      case legacy_member::role::output: {
        const auto column = content_column(row).value_or("response_text");
        where.output = insert_output(consensus, entry, text_of(*find_column(row, column)));
        rest = json_of(row, {"spec_id", "stage", "agent_name", column});
        break;
      }
      case legacy_member::role::beside_output:
        where.consensus = known[member.artefact]->consensus;
        where.output = known[member.artefact]->output;
        rest = json_of(row, {"spec_id", "stage", "agent_name"});
        break;
      case legacy_member::role::beside_consensus:
        rest = json_of(row, {"spec_id", "stage"});
        break;
      case legacy_member::role::synthesis:
        if (!give_synthesis(consensus, row)) {
          where.consensus = insert_consensus({{member}, entry.at});
          give_synthesis(where.consensus, row);
        }
        break;
    }
    record(entry, where, rest, at);
    return where;
  }

  database file;
  statement_cache sql;
  lease_epoch epoch;
  legacy_source& source;
  std::optional<std::int64_t> source_id;
  std::int64_t maintenance_id = 0;
  std::size_t next = 0;  ///< The first group that is not written.
  std::int64_t rows_done = 0;
  legacy_counts counts;
  bool superseded = false;
};

legacy_writer::legacy_writer(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

legacy_writer::~legacy_writer() {
  if (!state_->superseded) {
    state_->file.tidy();
  }
}

result<std::unique_ptr<legacy_writer>> legacy_writer::open(const storage_options& options,
                                                           lease_epoch epoch,
                                                           legacy_source& source) {
  auto opened = database::open(options);
  if (!opened) {
    return opened.error();
  }
  if (auto migrated = migrate(*opened, migration_sources()); !migrated) {
    return migrated.error();
  }
  return std::unique_ptr<legacy_writer>{new legacy_writer{std::make_unique<state>(*std::move(opened), epoch, source)}};
}

status legacy_writer::start(timestamp at) {
  auto& own = *state_;
  return own.in_transaction("the import was not begun", [&] {
    own.source_id = find_import_source(own.sql, own.source.entries());
    own.maintenance_id =
        id_from(own.sql.use("INSERT INTO maintenance (kind, started_at) VALUES ('import', ?) RETURNING id", at));
  });
}

status legacy_writer::write_batch(timestamp at) {
  auto& own = *state_;
  const auto counts_before = own.counts;
  const auto source_before = own.source_id;
  std::size_t next = own.next;
  std::int64_t rows = 0;
  auto written = own.in_transaction("this batch was not imported, those before it were; import again to go on", [&] {
    const auto& groups = own.source.groups();
    for (; next < groups.size() && rows < batch_rows; ++next) {
      own.write(groups[next], at);
      rows += static_cast<std::int64_t>(groups[next].members.size());
    }
  });
  if (!written) {
    own.counts = counts_before;
    own.source_id = source_before;
    return written;
  }
  own.next = next;
  own.rows_done += rows;
  return done;
}

bool legacy_writer::is_done() const noexcept { return state_->next >= state_->source.groups().size(); }

status legacy_writer::finish(timestamp at, outcome how, const json_text& summary) {
  auto& own = *state_;
  return own.in_transaction("the end of the import was not recorded", [&] {
    own.sql.run("UPDATE maintenance SET finished_at = ?2, succeeded = ?3, summary = ?4 WHERE id = ?1",
                own.maintenance_id,
                at,
                how == outcome::complete,
                summary);
  });
}

const legacy_counts& legacy_writer::counts() const noexcept { return state_->counts; }

std::int64_t legacy_writer::rows_done() const noexcept { return state_->rows_done; }

}  // namespace troupe
