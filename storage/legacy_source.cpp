#include "storage/legacy_source.hpp"

#include "messages/base/json_text.hpp"
#include "storage/database.hpp"
#include "storage/legacy_copy.hpp"
#include "storage/sqlite_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string name) {
  std::ranges::transform(
      name, name.begin(), [](char each) { return each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each; });
  return name;
}

std::string from_table(legacy_table table) { return "SELECT _rowid_, * FROM \"" + std::string{to_string(table)} + '"'; }

std::optional<legacy_value> value_of(const SQLite::Column& column) {
  if (column.isInteger()) {
    return column.getInt64();
  }
  if (column.isFloat()) {
    return column.getDouble();
  }
  if (column.isNull()) {
    return std::nullopt;
  }
  if (column.isBlob()) {
    return legacy_blob{column.getString()};
  }
  const char* const text = column.getText();  // as UTF-8, whatever the encoding of the file; then its length is known
  return std::string{text, static_cast<std::size_t>(column.getBytes())};
}

// The first column is the rowid, the rest are the table's.
legacy_row row_of(legacy_table table, SQLite::Statement& rows) {
  legacy_row row;
  row.table = table;
  row.rowid = rows.getColumn(0).getInt64();
  for (int i = 1; i < rows.getColumnCount(); ++i) {
    if (auto value = value_of(rows.getColumn(i))) {
      row.columns.emplace(lower(rows.getColumnName(i)), *std::move(value));
    }
  }
  return row;
}

std::vector<std::string> table_names(SQLite::Database& connection) {
  SQLite::Statement rows{connection,
                         "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                         " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"};
  std::vector<std::string> names;
  while (rows.executeStep()) {
    names.push_back(rows.getColumn(0).getString());
  }
  return names;
}

error wrong_tables(const fs::path& path, const std::vector<std::string>& there) {
  std::string list;
  for (std::size_t i = 0; i < there.size() && i < 5; ++i) {
    list += (i == 0 ? "" : ", ") + repair_utf8(there[i]);
  }
  return {error_code::invalid_input,
          "none of the tables of the older system (consensus_artifacts, agent_executions, consensus_synthesis) is in " +
              path.string() + (list.empty() ? ", which has no table" : ", which has " + list) +
              (there.size() > 5 ? ", ..." : ""),
          "name the database file of the older system"};
}

error our_own(const fs::path& path) {
  return {error_code::invalid_input,
          "this is a database of Troupe's, not of the older system: " + path.string(),
          "name the database file of the older system; --db says where it is imported to"};
}

// A table WITHOUT ROWID is read from a temporary copy that has one: the name then stands for the copy.
void give_rowids(SQLite::Database& connection, legacy_table table) {
  try {
    const SQLite::Statement probe{connection, from_table(table)};
  } catch (const SQLite::Exception&) {
    const std::string name{to_string(table)};
    connection.exec("CREATE TEMP TABLE \"" + name + "\" AS SELECT * FROM main.\"" + name + '"');
  }
}

}  // namespace

struct legacy_source::state {
  state(fs::path original, legacy_copy&& copied)
      : path(std::move(original)), connection(copied.file().string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX) {
    connection.exec("PRAGMA temp_store=MEMORY");
    connection.exec("BEGIN");
    connection.execAndGet("SELECT count(*) FROM sqlite_schema");  // now it is read, and needs its name no more
    copied.unlink();
  }

  legacy_table_facts& facts_of(legacy_table table) { return facts.at(static_cast<std::size_t>(table)); }

  status find_tables() {
    if (connection.execAndGet("PRAGMA application_id").getInt64() == database_application_id) {
      return our_own(path);
    }
    const auto names = table_names(connection);
    bool any = false;
    for (const auto table : legacy_tables) {
      const bool there =
          std::ranges::any_of(names, [&](const std::string& name) { return lower(name) == to_string(table); });
      if (there) {
        any = true;
        facts_of(table).is = legacy_table_facts::presence::there;
        give_rowids(connection, table);
      }
    }
    return any ? status{done} : status{wrong_tables(path, names)};
  }

  void count_oddities(const legacy_row& row, legacy_table_facts& found) {
    bool ill_formed = false;
    bool other_type = false;
    for (const auto& [name, value] : row.columns) {
      if (const auto* const text = std::get_if<std::string>(&value)) {
        ill_formed = ill_formed || repair_utf8(*text) != *text;
      } else if (name == "spec_id" || name == "stage" || name == "agent_name" || name == content_column(row)) {
        other_type = true;
      }
    }
    found.ill_formed_utf8 += ill_formed ? 1 : 0;
    found.other_types += other_type ? 1 : 0;
    if (row.table == legacy_table::artefacts && content_column(row) == "content_json") {
      valid_json->bind(1, text_of(*find_column(row, "content_json")));
      found.invalid_json += valid_json->executeStep() && valid_json->getColumn(0).getInt() == 1 ? 0 : 1;
      valid_json->reset();
    }
  }

  void read(legacy_table table) {
    auto& found = facts_of(table);
    if (found.is == legacy_table_facts::presence::missing) {
      return;
    }
    std::set<std::string> keys;
    SQLite::Statement rows{connection, from_table(table) + " ORDER BY _rowid_"};
    while (rows.executeStep()) {
      const auto row = row_of(table, rows);
      ++found.read;
      auto key = key_of(row);
      if (!keys.insert(key).second) {
        found.skipped[legacy_skip::duplicate_id].push_back(std::move(key));
        continue;
      }
      auto entry = read_legacy_entry(row);
      if (const auto* const why = std::get_if<legacy_skip>(&entry)) {
        found.skipped[*why].push_back(std::move(key));
      } else {
        count_oddities(row, found);
        entries.push_back(std::get<legacy_entry>(std::move(entry)));
      }
    }
  }

  // What stands alone without content leaves the list, so that all that is left is to be imported.
  void group() {
    auto grouped = group_legacy(entries);
    for (const auto i : grouped.without_content) {
      facts_of(entries[i].table).skipped[legacy_skip::no_content].push_back(entries[i].key);
    }
    groups = std::move(grouped.groups);
    std::vector<legacy_entry> kept;
    for (auto& each : groups) {
      for (auto& member : each.members) {
        kept.push_back(std::move(entries[member.entry]));
        member.entry = kept.size() - 1;
      }
    }
    entries = std::move(kept);
  }

  fs::path path;
  SQLite::Database connection;
  std::optional<SQLite::Statement> valid_json;
  std::array<std::optional<SQLite::Statement>, legacy_tables.size()> by_rowid;
  std::array<legacy_table_facts, legacy_tables.size()> facts;
  std::vector<legacy_entry> entries;
  std::vector<legacy_group> groups;
};

legacy_source::legacy_source(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

legacy_source::legacy_source(legacy_source&&) noexcept = default;
legacy_source& legacy_source::operator=(legacy_source&&) noexcept = default;
legacy_source::~legacy_source() = default;

const fs::path& legacy_source::path() const noexcept { return state_->path; }

const legacy_table_facts& legacy_source::facts(legacy_table table) const noexcept { return state_->facts_of(table); }

const std::vector<legacy_entry>& legacy_source::entries() const noexcept { return state_->entries; }

const std::vector<legacy_group>& legacy_source::groups() const noexcept { return state_->groups; }

legacy_row legacy_source::row(const legacy_entry& entry) {
  auto& statement = state_->by_rowid.at(static_cast<std::size_t>(entry.table));
  if (!statement) {
    statement.emplace(state_->connection, from_table(entry.table) + " WHERE _rowid_ = ?");
  }
  statement->bind(1, entry.rowid);
  if (!statement->executeStep()) {
    throw std::logic_error{"a row of an immutable copy is gone"};
  }
  auto row = row_of(entry.table, *statement);
  statement->reset();
  return row;
}

result<legacy_source> legacy_source::open(const fs::path& path, const fs::path& scratch) {
  auto copied = legacy_copy::make(path, scratch);
  if (!copied) {
    return copied.error();
  }
  try {
    auto opened = std::make_unique<state>(path, *std::move(copied));
    if (auto found = opened->find_tables(); !found) {
      return found.error();
    }
    opened->valid_json.emplace(opened->connection, "SELECT json_valid(?)");
    for (const auto table : legacy_tables) {
      opened->read(table);
    }
    opened->group();
    return legacy_source{std::move(opened)};
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "the older database cannot be read, nothing was imported", path);
  }
}

}  // namespace troupe
