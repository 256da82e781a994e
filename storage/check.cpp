#include "storage/check.hpp"

#include "messages/base/sha256.hpp"
#include "storage/backup.hpp"
#include "storage/blobs.hpp"
#include "storage/database.hpp"
#include "storage/invariants.hpp"
#include "storage/maintenance.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/statements.hpp"
#include "storage/supersteps.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t findings_per_rule_max = 100;

// What a rule cannot even be asked for is a finding of its own: a damaged page hides rows, it does not excuse them.
template <class Ask>
void ask(std::vector<finding>& found, const char* rule, Ask carry_on) {
  try {
    carry_on();
  } catch (const SQLite::Exception& thrown) {
    found.push_back({rule, std::string{"cannot be checked: "} + thrown.what()});
  }
}

// A connection that is opened read-only does not even load CHECK constraints (sqlite3AddCheckConstraint), so that
// integrity_check has nothing to say of them. One that could write, and is told not to, does; without the permission to
// write, the rest is still checked.
SQLite::Database open_with_constraints(const storage_options& options) {
  const auto path = fs::absolute(options.path).string();
  const auto wait = static_cast<int>(options.busy_timeout.count());
  try {
    SQLite::Database connection{path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, wait, options.vfs};
    sqlite3_db_config(connection.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    connection.exec("PRAGMA query_only=ON");
    return connection;
  } catch (const SQLite::Exception&) {
    return SQLite::Database{path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, wait, options.vfs};
  }
}

void check_integrity(const storage_options& options, std::vector<finding>& found) {
  ask(found, "integrity", [&] {
    auto connection = open_with_constraints(options);
    SQLite::Statement rows{connection, "PRAGMA integrity_check(" + std::to_string(findings_per_rule_max) + ")"};
    while (rows.executeStep()) {
      if (auto text = rows.getColumn(0).getString(); text != "ok") {
        found.push_back({"integrity", std::move(text)});
      }
    }
  });
}

void check_foreign_keys(SQLite::Database& connection, std::vector<finding>& found) {
  ask(found, "foreign_key", [&] {
    SQLite::Statement rows{connection, "PRAGMA foreign_key_check"};
    for (std::size_t n = 0; n < findings_per_rule_max && rows.executeStep(); ++n) {
      const auto row = rows.isColumnNull(1) ? std::string{"a row"} : "row " + rows.getColumn(1).getString();
      found.push_back(
          {"foreign_key",
           row + " of " + rows.getColumn(0).getString() + " refers to nothing in " + rows.getColumn(2).getString()});
    }
  });
}

void check_invariants(SQLite::Database& connection, std::vector<finding>& found) {
  for (const auto& invariant : stored_invariants()) {
    ask(found, invariant.rule, [&] {
      SQLite::Statement rows{connection, invariant.violations};
      for (std::size_t n = 0; n < findings_per_rule_max && rows.executeStep(); ++n) {
        found.push_back({invariant.rule, rows.getColumn(0).getString()});
      }
    });
  }
}

// The state of every run, put together from its supersteps, has the hash that was committed with it.
void check_states(SQLite::Database& connection, std::vector<finding>& found) {
  ask(found, "state", [&] {
    statement_cache sql{connection};
    SQLite::Statement runs{connection, "SELECT run_id, supersteps, state_hash FROM runs"};
    for (std::size_t n = 0; n < findings_per_rule_max && runs.executeStep();) {
      const run_id run{runs.getColumn(0).getString()};
      const auto state = load_state(sql, run, superstep_no{runs.getColumn(1).getInt64()});
      if (!state) {
        found.push_back({"state", state.error().message});
        ++n;
      } else if ("sha256:" + sha256_hex(state->text().str()) != runs.getColumn(2).getString()) {
        found.push_back(
            {"state", "run " + run.str() + ": the state does not have the hash that was committed with it"});
        ++n;
      }
    }
  });
}

// What is wrong with the file of a row of `blobs`; none where all is well.
std::optional<std::string> wrong_with(const fs::path& folder, const std::string& hash, std::int64_t bytes) {
  const auto digest = digest_from_hex(hash);
  if (!digest) {
    return "a row of blobs has no possible hash: " + hash;
  }
  const auto whole = verify_blob(folder, {*digest, bytes});
  return whole ? std::nullopt : std::optional{whole.error().message};
}

// Outside of the transaction of the other rules, and each finding looked at twice: a collection may take row and file
// away meanwhile, the row first. Files without a row are not damage, and are collected.
void check_blobs(SQLite::Database& connection, const fs::path& database, std::vector<finding>& found) {
  ask(found, "blob", [&] {
    std::vector<std::pair<std::string, std::string>> wrong;
    {
      SQLite::Statement rows{connection, "SELECT hash, bytes FROM blobs"};
      while (wrong.size() < findings_per_rule_max && rows.executeStep()) {
        auto hash = rows.getColumn(0).getString();
        if (auto text = wrong_with(blob_folder_of(database), hash, rows.getColumn(1).getInt64())) {
          wrong.emplace_back(std::move(hash), *std::move(text));
        }
      }
    }
    SQLite::Statement still{connection, "SELECT 1 FROM blobs WHERE hash = ?"};
    for (auto& [hash, text] : wrong) {
      still.bind(1, hash);
      if (still.executeStep()) {
        found.push_back({"blob", std::move(text)});
      }
      still.reset();
    }
  });
}

// A damaged schema or first page makes everything else unreadable: that is a finding too, not a failure to look.
bool is_damage(const error& why) { return why.code == error_code::storage_corrupt; }

std::int64_t file_bytes(const fs::path& file) {
  std::error_code failure;
  const auto bytes = fs::file_size(file, failure);
  return failure ? 0 : static_cast<std::int64_t>(bytes);
}

std::int64_t number_of(SQLite::Database& connection, const std::string& query) {
  return connection.execAndGet(query).getInt64();
}

void count_runs(SQLite::Database& connection, database_info& info) {
  constexpr std::array states{run_state::pending,
                              run_state::running,
                              run_state::paused,
                              run_state::completed,
                              run_state::failed,
                              run_state::cancelled};
  SQLite::Statement count{connection, "SELECT count(*) FROM runs WHERE state = ?"};
  for (const auto state : states) {
    count.bind(1, std::string{to_string(state)});
    info.runs.emplace_back(state, count.executeStep() ? count.getColumn(0).getInt64() : 0);
    count.reset();
  }
}

void count_rows(SQLite::Database& connection, database_info& info) {
  SQLite::Statement tables{connection,
                           "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                           " ORDER BY name"};
  while (tables.executeStep()) {
    const auto name = tables.getColumn(0).getString();
    info.rows.emplace_back(name, number_of(connection, "SELECT count(*) FROM \"" + name + '"'));
  }
}

void read_lease(SQLite::Database& connection, database_info& info) {
  SQLite::Statement row{connection, "SELECT epoch, pid, host, since FROM lease"};
  if (row.executeStep()) {
    info.epoch = lease_epoch{row.getColumn(0).getInt64()};
    info.last_holder = lease_holder{row.getColumn(1).getInt64(),
                                    row.getColumn(2).getString(),
                                    timestamp{std::chrono::microseconds{row.getColumn(3).getInt64()}}};
    info.is_held = is_lease_held(info.path);
  }
}

database_info describe(SQLite::Database& connection, const storage_options& options) {
  database_info info;
  info.path = options.path;
  info.file_bytes = file_bytes(options.path);
  info.wal_bytes = file_bytes(options.path.string() + "-wal");
  SQLite::Transaction together{connection, SQLite::TransactionBehavior::DEFERRED};
  info.page_size = number_of(connection, "PRAGMA page_size");
  info.page_count = number_of(connection, "PRAGMA page_count");
  info.free_pages = number_of(connection, "PRAGMA freelist_count");
  info.schema_version = number_of(connection, "PRAGMA user_version");
  info.latest_schema_version = latest_version(migration_sources());
  for (const char* const name : {"application_id", "auto_vacuum", "encoding", "journal_mode"}) {
    info.pragmas.emplace_back(name, connection.execAndGet(std::string{"PRAGMA "} + name).getString());
  }
  count_runs(connection, info);
  count_rows(connection, info);
  statement_cache sql{connection};
  info.vacuum = read_history(sql);
  info.blobs = number_of(connection, "SELECT count(*) FROM blobs");
  info.blob_bytes = number_of(connection, "SELECT coalesce(sum(bytes), 0) FROM blobs");
  read_lease(connection, info);
  return info;
}

}  // namespace

result<std::vector<finding>> check_database(const storage_options& options) {
  std::vector<finding> found;
  auto opened = database::open_read_only(options);
  if (!opened) {
    if (!is_damage(opened.error())) {
      return opened.error();
    }
    found.push_back({"integrity", opened.error().message});
    return found;
  }
  auto& connection = opened->connection();
  try {
    {
      SQLite::Transaction together{connection, SQLite::TransactionBehavior::DEFERRED};
      check_integrity(options, found);
      check_foreign_keys(connection, found);
      check_invariants(connection, found);
      check_states(connection, found);
    }
    check_blobs(connection, options.path, found);
    return found;
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot check the database", options.path);
  }
}

result<database_info> describe_database(const storage_options& options) {
  auto opened = database::open_read_only(options);
  if (!opened) {
    return opened.error();
  }
  try {
    return describe(opened->connection(), options);
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot describe the database", options.path);
  }
}

status backup_database(const storage_options& options, const fs::path& target) {
  auto opened = database::open_read_only(options);
  if (!opened) {
    return opened.error();
  }
  try {
    opened->connection().exec("PRAGMA query_only=OFF");  // it counts VACUUM INTO as a write; the file stays read-only
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot copy the database", options.path);
  }
  return copy_database(opened->connection(), options.path, target);
}

}  // namespace troupe
