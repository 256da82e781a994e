#include "perf/recorded_changes.hpp"

#include "perf/candidates.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string_view>

namespace troupe::perf {
namespace {

struct recording {
  std::mutex guard;
  bool is_on = false;
  std::set<sqlite3*> writing;  // in a transaction of their own that changes rows
  recorded_changes told;
};

recording& shared() {
  static recording one;
  return one;
}

bool starts_with_any(std::string_view text, const auto& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

// Called before each statement; for those of triggers with a comment in the place of their text.
int note(unsigned /*kind*/, void* /*context*/, void* statement, void* text) {
  constexpr std::array<std::string_view, 3> changes{"INSERT", "UPDATE", "DELETE"};
  const std::string_view sql{static_cast<const char*>(text)};
  auto* const told = static_cast<sqlite3_stmt*>(statement);
  auto* const connection = sqlite3_db_handle(told);
  auto& all = shared();
  const std::scoped_lock lock{all.guard};
  if (!all.is_on) {
    return 0;
  }
  if (sql.starts_with("BEGIN IMMEDIATE")) {
    all.writing.insert(connection);
  } else if (!all.writing.contains(connection) || !(starts_with_any(sql, changes) || sql.starts_with("COMMIT"))) {
    return 0;
  }
  const std::unique_ptr<char, decltype(&sqlite3_free)> expanded{sqlite3_expanded_sql(told), sqlite3_free};
  all.told.emplace_back(expanded.get());
  if (sql.starts_with("COMMIT")) {
    all.writing.erase(connection);
  }
  return 0;
}

int watch(sqlite3* connection, char** /*why*/, const struct sqlite3_api_routines* /*routines*/) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, note, nullptr);
}

struct finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

}  // namespace

void watch_changes() {
  static const int registered = sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  if (registered != SQLITE_OK) {
    throw std::runtime_error{"connections cannot be watched"};
  }
}

void record_changes() {
  const std::scoped_lock lock{shared().guard};
  shared().told.clear();
  shared().is_on = true;
}

recorded_changes take_changes() {
  const std::scoped_lock lock{shared().guard};
  shared().is_on = false;
  return std::move(shared().told);
}

double repeat_changes(database& file, const recorded_changes& told) {
  auto* const connection = file.connection().getHandle();
  std::vector<std::unique_ptr<sqlite3_stmt, finalize>> statements;
  statements.reserve(told.size());
  for (const auto& sql : told) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &made, nullptr) != SQLITE_OK) {
      throw std::runtime_error{sqlite3_errmsg(connection)};
    }
    statements.emplace_back(made);
  }
  const auto begun = std::chrono::steady_clock::now();
  for (const auto& statement : statements) {
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    }
    if (sqlite3_reset(statement.get()) != SQLITE_OK) {
      throw std::runtime_error{sqlite3_errmsg(connection)};
    }
  }
  return micros_since(begun);
}

}  // namespace troupe::perf
