#include "storage/database.hpp"

#include "storage/disk_space.hpp"
#include "storage/left_log.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/system_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

error unavailable(const fs::path& file, std::string what, std::string hint) {
  return {error_code::storage_unavailable, std::move(what) + ": " + file.string(), std::move(hint)};
}

// 0700 for every folder that is made on the way: what is in the database is nobody else's business.
status create_folder(const fs::path& folder) {
  std::error_code failure;
  if (folder.empty() || fs::is_directory(folder, failure)) {
    return done;
  }
  if (fs::exists(fs::symlink_status(folder, failure))) {
    return unavailable(folder, "the folder of the database is a file", "choose another storage.path");
  }
  if (auto parent = create_folder(folder.parent_path()); !parent) {
    return parent;
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error(errno, "cannot create the folder of the database", folder);
  }
  return done;
}

// 0600 from its first moment, whatever the umask; SQLite gives -wal and -shm the mode of the file.
status create_file(const fs::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) {
    return errno == EEXIST ? status{done} : status{system_error(errno, "cannot create the database", file)};
  }
  ::close(made);
  return done;
}

std::string uri_of(const fs::path& file, std::string_view parameters) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._~/";
  std::string uri = "file:";
  for (const char part : fs::absolute(file).string()) {
    const auto byte = static_cast<unsigned char>(part);
    const bool letter = (part >= 'a' && part <= 'z') || (part >= 'A' && part <= 'Z') || (part >= '0' && part <= '9');
    if (letter || plain.find(part) != std::string_view::npos) {
      uri += part;
    } else {
      uri += '%';
      uri += digits[byte >> 4U];
      uri += digits[byte & 15U];
    }
  }
  uri += '?';
  uri += parameters;
  return uri;
}

std::int64_t number_of(SQLite::Database& connection, const std::string& query) {
  return connection.execAndGet(query).getInt64();
}

enum class whose { ours, empty, somebody_elses };

whose owner_of(SQLite::Database& connection) {
  const auto application = number_of(connection, "PRAGMA application_id");
  if (application == database_application_id) {
    return whose::ours;
  }
  const bool blank = application == 0 && number_of(connection, "SELECT count(*) FROM sqlite_schema") == 0;
  return blank ? whose::empty : whose::somebody_elses;
}

error not_ours(const fs::path& file) {
  return unavailable(file,
                     "this is a database of another program; it was left as it is",
                     "choose another storage.path, or move that file away");
}

// A journal with content: the file may be half written, and opening it undoes that.
bool was_cut_short(const storage_options& options) {
  std::error_code failure;
  const auto bytes = fs::file_size(options.path.string() + "-journal", failure);
  return !failure && bytes > 0;
}

// A look at the file alone, past locks, journal and log, so that somebody else's database is refused before SQLite
// would replay or checkpoint anything of it. What only the log knows is looked at again after opening.
status look_before_opening(const storage_options& options) {
  std::error_code failure;
  if (fs::file_size(options.path, failure) == 0 || failure) {
    return done;
  }
  try {
    SQLite::Database look{
        uri_of(options.path, "mode=ro&immutable=1"), SQLite::OPEN_READONLY | SQLite::OPEN_URI, 0, options.vfs};
    if (owner_of(look) == whose::somebody_elses) {
      return not_ours(options.path);
    }
  } catch (const SQLite::Exception& thrown) {
    if (thrown.getErrorCode() == SQLITE_NOTADB && !was_cut_short(options)) {
      return sqlite_error(thrown, "this is not a database", options.path);
    }
    // Anything else may come from looking past the log: opening tells.
  }
  return done;
}

struct setting {
  const char* name;
  std::string write;  ///< What the PRAGMA is set to.
  std::string read;   ///< What it then says of itself.
};

std::string pragma_value(SQLite::Database& connection, const char* name) {
  SQLite::Statement query{connection, std::string{"PRAGMA "} + name};
  return query.executeStep() ? query.getColumn(0).getString() : std::string{};
}

error did_not_take(const storage_options& options, const setting& wanted, const std::string& is) {
  return {error_code::storage_unavailable,
          std::string{"PRAGMA "} + wanted.name + " did not take: wanted " + wanted.read + ", is " +
              (is.empty() ? "nothing" : is) + ": " + options.path.string(),
          "the file system or the setting does not allow it"};
}

status apply_pragma(SQLite::Database& connection, const storage_options& options, const setting& wanted) {
  SQLite::Statement set{connection, std::string{"PRAGMA "} + wanted.name + '=' + wanted.write};
  while (set.executeStep()) {
  }
  const auto is = pragma_value(connection, wanted.name);
  return is == wanted.read ? status{done} : status{did_not_take(options, wanted, is)};
}

// auto_vacuum of a file with content changes only with VACUUM, which writes the whole file anew: into a temporary file,
// then through the log.
status convert_to_incremental_vacuum(SQLite::Database& connection, const storage_options& options) {
  const auto bytes = number_of(connection, "PRAGMA page_count") * number_of(connection, "PRAGMA page_size");
  if (auto room = need_room(options.path.parent_path(), 2 * bytes, "converting the database to incremental vacuum");
      !room) {
    return room;
  }
  connection.exec("PRAGMA auto_vacuum=INCREMENTAL");
  connection.exec("VACUUM");
  return done;
}

status set_pragmas(SQLite::Database& connection, const storage_options& options) {
  const setting vacuum{"auto_vacuum", "INCREMENTAL", "2"};
  if (number_of(connection, "PRAGMA page_count") > 0 && pragma_value(connection, "auto_vacuum") != vacuum.read) {
    if (auto converted = convert_to_incremental_vacuum(connection, options); !converted) {
      return converted;
    }
  }
  const bool full = options.synchronous == storage_options::durability::full;
  const auto same = [](const char* name, std::int64_t value) {
    return setting{name, std::to_string(value), std::to_string(value)};
  };
  const std::array settings{
      vacuum,  // before anything writes the header
      setting{"journal_mode", "WAL", "wal"},
      setting{"synchronous", full ? "FULL" : "NORMAL", full ? "2" : "1"},
      setting{"foreign_keys", "ON", "1"},
      same("cache_size", -options.cache_kib),
      setting{"temp_store", "MEMORY", "2"},
      same("mmap_size", options.mmap_bytes),
      same("busy_timeout", options.busy_timeout.count()),
      same("journal_size_limit", options.journal_size_limit),
      same("wal_autocheckpoint", options.wal_autocheckpoint),
  };
  for (const auto& wanted : settings) {
    // Setting auto_vacuum writes the header, also where it is right already.
    if (wanted.name == vacuum.name && pragma_value(connection, vacuum.name) == vacuum.read) {
      continue;
    }
    if (auto taken = apply_pragma(connection, options, wanted); !taken) {
      return taken;
    }
  }
  const auto is = pragma_value(connection, vacuum.name);
  return is == vacuum.read ? status{done} : status{did_not_take(options, vacuum, is)};
}

status set_reading_pragmas(SQLite::Database& connection, const storage_options& options) {
  const auto same = [](const char* name, std::int64_t value) {
    return setting{name, std::to_string(value), std::to_string(value)};
  };
  const std::array settings{
      setting{"query_only", "ON", "1"},
      same("cache_size", -options.cache_kib),
      setting{"temp_store", "MEMORY", "2"},
      same("mmap_size", options.mmap_bytes),
      same("busy_timeout", options.busy_timeout.count()),
  };
  for (const auto& wanted : settings) {
    if (auto taken = apply_pragma(connection, options, wanted); !taken) {
      return taken;
    }
  }
  return done;
}

status refuse_newer(SQLite::Database& connection, const storage_options& options) {
  const auto is = number_of(connection, "PRAGMA user_version");
  const auto known = latest_version(migration_sources());
  return is > known ? status{newer_schema(options.path, is, known)} : status{done};
}

status accept_schema(SQLite::Database& connection, const storage_options& options) {
  if (auto older = refuse_newer(connection, options); !older) {
    return older;
  }
  const auto is = number_of(connection, "PRAGMA user_version");
  const auto known = latest_version(migration_sources());
  if (is < known) {
    return unavailable(
        options.path,
        "the database has schema " + std::to_string(is) + ", this program needs " + std::to_string(known),
        "`troupe db migrate` brings it up to date, with a backup");
  }
  return done;
}

}  // namespace

struct database::state {
  storage_options options;
  SQLite::Database connection;
};

database::database(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

database::database(database&&) noexcept = default;
database& database::operator=(database&&) noexcept = default;
database::~database() = default;

const storage_options& database::options() const noexcept { return state_->options; }

SQLite::Database& database::connection() noexcept { return state_->connection; }

status prepare_place(const storage_options& options) {
  std::error_code failure;
  if (fs::is_directory(options.path, failure)) {
    return unavailable(options.path, "a folder is in the place of the database", "choose another storage.path");
  }
  return create_folder(options.path.parent_path());
}

result<database> database::open(const storage_options& options) {
  if (auto ready = prepare_place(options); !ready) {
    return ready.error();
  }
  if (auto made = create_file(options.path); !made) {
    return made.error();
  }
  if (auto looked = look_before_opening(options); !looked) {
    return looked.error();
  }
  try {
    auto opened = std::make_unique<state>(state{options,
                                                SQLite::Database{fs::absolute(options.path).string(),
                                                                 SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                                                                 static_cast<int>(options.busy_timeout.count()),
                                                                 options.vfs}});
    auto& connection = opened->connection;
    // Until the file is known to be ours, closing must not write to it either.
    sqlite3_db_config(connection.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (owner_of(connection) == whose::somebody_elses) {
      return not_ours(options.path);
    }
    if (auto older = refuse_newer(connection, options); !older) {
      return older.error();
    }
    sqlite3_db_config(connection.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    if (sqlite3_db_readonly(connection.getHandle(), "main") == 1) {
      const int why = why_not_writable(options.path);
      return system_error(why != 0 ? why : EACCES, "the database may only be read", options.path);
    }
    if (auto set = set_pragmas(connection, options); !set) {
      return set.error();
    }
    if (auto kept = rewrite_left_log(connection, options.path); !kept) {
      return kept.error();
    }
    return database{std::move(opened)};
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot open the database", options.path);
  }
}

result<database> database::open_read_only(const storage_options& options) {
  std::error_code failure;
  if (fs::is_directory(options.path, failure)) {
    return unavailable(options.path, "a folder is in the place of the database", "choose another storage.path");
  }
  if (!fs::exists(options.path, failure)) {
    return unavailable(options.path, "there is no database yet", "the first `troupe run` makes one");
  }
  try {
    auto opened = std::make_unique<state>(state{options,
                                                SQLite::Database{fs::absolute(options.path).string(),
                                                                 SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX,
                                                                 static_cast<int>(options.busy_timeout.count()),
                                                                 options.vfs}});
    if (auto set = set_reading_pragmas(opened->connection, options); !set) {
      return set.error();
    }
    if (owner_of(opened->connection) == whose::somebody_elses) {
      return not_ours(options.path);
    }
    if (auto fits = accept_schema(opened->connection, options); !fits) {
      return fits.error();
    }
    return database{std::move(opened)};
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot open the database for reading", options.path);
  }
}

void database::tidy() noexcept {
  // Each on its own: one that fails says nothing about the next.
  for (const char* const last :
       {"PRAGMA analysis_limit=400", "PRAGMA optimize", "PRAGMA busy_timeout=250", "PRAGMA wal_checkpoint(TRUNCATE)"}) {
    static_cast<void>(sqlite3_exec(state_->connection.getHandle(), last, nullptr, nullptr, nullptr));
  }
}

}  // namespace troupe
