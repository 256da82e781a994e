#include "storage/migrations.hpp"

#include "storage/backup.hpp"
#include "storage/database.hpp"
#include "storage/sqlite_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <string>
#include <system_error>

namespace troupe {
namespace {

namespace fs = std::filesystem;

std::int64_t version_of(SQLite::Database& connection) {
  return connection.execAndGet("PRAGMA user_version").getInt64();
}

fs::path free_backup_name(const fs::path& file, std::int64_t version) {
  for (int n = 1;; ++n) {
    fs::path name = file;
    name += ".backup-v" + std::to_string(version) + '-' + std::to_string(n);
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(name, ignored))) {
      return name;
    }
  }
}

bool has_rows(SQLite::Database& connection) {
  SQLite::Statement tables{connection,
                           "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"};
  while (tables.executeStep()) {
    if (connection.execAndGet("SELECT EXISTS (SELECT 1 FROM \"" + tables.getColumn(0).getString() + "\")").getInt() !=
        0) {
      return true;
    }
  }
  return false;
}

status back_up(database& target, std::int64_t version, migration_report& report) {
  auto& connection = target.connection();
  const auto name = free_backup_name(target.options().path, version);
  if (auto copied = copy_database(connection, target.options().path, name); !copied) {
    return copied;
  }
  report.backups.push_back(name);
  return done;
}

error step_failed(const migration_source& step, const SQLite::Exception& thrown, const fs::path& file) {
  return sqlite_error(thrown,
                      "migration " + std::to_string(step.version) + " (" + std::string{step.name} +
                          ") was rolled back, the database is as it was",
                      file);
}

status carry_out(database& target, const migration_source& step) {
  auto& connection = target.connection();
  try {
    SQLite::Transaction transaction{connection, SQLite::TransactionBehavior::EXCLUSIVE};
    if (version_of(connection) >= step.version) {
      return done;  // another process was here between our look and our lock
    }
    connection.exec(std::string{step.sql});
    connection.exec("PRAGMA application_id=" + std::to_string(database_application_id));
    connection.exec("PRAGMA user_version=" + std::to_string(step.version));
    transaction.commit();
    return done;
  } catch (const SQLite::Exception& thrown) {
    return step_failed(step, thrown, target.options().path);
  }
}

}  // namespace

std::int64_t latest_version(std::span<const migration_source> sources) noexcept {
  return sources.empty() ? 0 : sources.back().version;
}

error newer_schema(const fs::path& file, std::int64_t is, std::int64_t known) {
  return {error_code::storage_newer,
          "the database has schema " + std::to_string(is) + ", this program knows " + std::to_string(known) +
              "; it was left as it is: " + file.string(),
          "use the newer Troupe that wrote it, or a backup (" + file.filename().string() + ".backup-v*) with this one"};
}

result<migration_report> migrate(database& target, std::span<const migration_source> sources) {
  auto& connection = target.connection();
  const auto& file = target.options().path;
  migration_report report;
  try {
    report.from = report.to = version_of(connection);
    if (report.from > latest_version(sources)) {
      return newer_schema(file, report.from, latest_version(sources));
    }
    const bool has_data = has_rows(connection);  // before the first step: a new file has nothing to lose at any
    for (const auto& step : sources) {
      if (step.version <= report.to) {
        continue;
      }
      if (auto copied = has_data ? back_up(target, report.to, report) : status{done}; !copied) {
        return copied.error();
      }
      if (auto carried = carry_out(target, step); !carried) {
        return carried.error();
      }
      report.to = step.version;
    }
    return report;
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot migrate the database", file);
  }
}

}  // namespace troupe
