#include "storage/legacy_compare.hpp"

#include "storage/database.hpp"
#include "storage/legacy_provenance.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/statements.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <chrono>
#include <optional>
#include <utility>

namespace troupe {
namespace {

std::int64_t milliseconds_of(timestamp at) { return std::chrono::floor<milliseconds>(at).time_since_epoch().count(); }

class comparer {
 public:
  comparer(SQLite::Database& connection, legacy_source& source) : sql_(connection), source_(source) {}

  legacy_comparison compare() {
    const auto from = find_import_source(sql_, source_.entries());
    for (const auto& entry : source_.entries()) {
      const auto found = from ? find_imported(sql_, *from, entry) : std::nullopt;
      auto& standing = out_.tables.at(static_cast<std::size_t>(entry.table));
      if (!found) {
        ++standing.absent;
        tell(out_.missing, entry, "it is not there");
      } else if (auto what = difference(*from, entry, *found)) {
        ++standing.different;
        tell(out_.differences, entry, *std::move(what));
      } else {
        ++standing.same;
      }
    }
    return std::move(out_);
  }

 private:
  static void tell(std::vector<legacy_difference>& list, const legacy_entry& entry, std::string what) {
    if (list.size() < legacy_comparison::told_max) {
      list.push_back({entry.table, entry.key, std::move(what)});
    }
  }

  std::optional<std::string> difference(std::int64_t from, const legacy_entry& entry, const imported_row& found) {
    if (found.digest != entry.digest) {
      return "it was changed after it had been imported; what was imported stays";
    }
    const auto row = source_.row(entry);
    if (auto what = consensus_difference(entry, row, found)) {
      return what;
    }
    if (entry.table == legacy_table::syntheses) {
      return std::nullopt;
    }
    const auto rest = rest_of(from, entry);
    if (!found.output) {
      return rest == json_of(row, {"spec_id", "stage"}) ? std::nullopt : differs("the rest of its columns");
    }
    return output_difference(entry, row, *found.output, rest);
  }

  static std::optional<std::string> differs(const char* what) { return std::string{what} + " is not what was read"; }

  std::optional<std::string> consensus_difference(const legacy_entry& entry,
                                                  const legacy_row& row,
                                                  const imported_row& found) {
    auto stored = sql_.use(
        "SELECT spec_id, stage, run_timestamp, consensus_ok, degraded, synthesis_json FROM consensus_runs"
        " WHERE id = ?",
        found.consensus);
    if (!stored.step()) {
      return "its consensus is gone";
    }
    if (stored.text(0) != entry.spec_id || stored.text(1) != entry.stage) {
      return differs("spec_id or stage");
    }
    if (entry.table != legacy_table::syntheses) {
      return std::nullopt;
    }
    const auto verdict = verdict_of(row);
    const bool ok = verdict.reached == legacy_verdict::outcome::reached;
    const bool degraded = verdict.answered == legacy_verdict::attendance::degraded;
    if (stored.truth(3) != ok || stored.truth(4) != degraded) {
      return differs("consensus_ok or degraded");
    }
    return stored.text(5) == json_of(row, {"spec_id", "stage"}) ? std::nullopt : differs("synthesis_json");
  }

  std::string rest_of(std::int64_t from, const legacy_entry& entry) {
    auto stored = sql_.use("SELECT rest FROM imported_rows WHERE table_name = ? AND row_key = ? AND source_id = ?",
                           to_string(entry.table),
                           entry.key,
                           from);
    return stored.step() ? stored.text(0) : std::string{};
  }

  // An output of the row's own has its text and its time; beside another's, the row's text is in the rest.
  std::optional<std::string> output_difference(const legacy_entry& entry,
                                               const legacy_row& row,
                                               std::int64_t output,
                                               const std::string& rest) {
    auto stored = sql_.use("SELECT agent_name, content, output_timestamp FROM agent_outputs WHERE id = ?", output);
    if (!stored.step()) {
      return "its output is gone";
    }
    if (stored.text(0) != entry.agent) {
      return differs("agent_name");
    }
    const auto column = content_column(row);
    if (column && rest == json_of(row, {"spec_id", "stage", "agent_name", *column})) {
      if (stored.text(1) != text_of(*find_column(row, *column))) {
        return differs("content");
      }
      return stored.number(2) == milliseconds_of(entry.at) ? std::nullopt : differs("output_timestamp");
    }
    const bool beside =
        entry.table == legacy_table::executions && rest == json_of(row, {"spec_id", "stage", "agent_name"});
    return beside ? std::nullopt : differs("the rest of its columns");
  }

  statement_cache sql_;
  legacy_source& source_;
  legacy_comparison out_;
};

}  // namespace

std::int64_t legacy_comparison::absent() const noexcept {
  std::int64_t sum = 0;
  for (const auto& each : tables) {
    sum += each.absent;
  }
  return sum;
}

std::int64_t legacy_comparison::different() const noexcept {
  std::int64_t sum = 0;
  for (const auto& each : tables) {
    sum += each.different;
  }
  return sum;
}

result<legacy_comparison> compare_legacy(const storage_options& options, legacy_source& source) {
  auto opened = database::open_read_only(options);
  if (!opened) {
    return opened.error();
  }
  try {
    SQLite::Transaction together{opened->connection(), SQLite::TransactionBehavior::DEFERRED};
    return comparer{opened->connection(), source}.compare();
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "the import could not be compared", options.path);
  }
}

legacy_comparison compare_legacy_with_nothing(const legacy_source& source) {
  legacy_comparison out;
  for (const auto& entry : source.entries()) {
    ++out.tables.at(static_cast<std::size_t>(entry.table)).absent;
  }
  return out;
}

}  // namespace troupe
