#include "storage/statements.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace troupe {

prepared::~prepared() {
  static_cast<void>(statement_->tryReset());
  try {
    statement_->clearBindings();  // so that a kept statement does not keep megabytes
  } catch (const SQLite::Exception&) {
    // Nothing hangs on it: the next use binds every parameter anew.
  }
}

void prepared::bind(int index, std::nullptr_t) { statement_->bind(index); }

void prepared::bind(int index, std::int64_t number) { statement_->bind(index, number); }

void prepared::bind(int index, const std::string& text) { statement_->bind(index, text); }

void prepared::bind(int index, std::string_view text) { statement_->bind(index, std::string{text}); }

void prepared::bind(int index, borrowed_blob blob) {
  // A null pointer would bind NULL: an empty blob is not that.
  const char* const data = blob.bytes.empty() ? "" : blob.bytes.data();
  statement_->bindNoCopy(index, data, static_cast<int>(blob.bytes.size()));
}

void prepared::lend(int index, const std::string& text) { statement_->bindNoCopy(index, text); }

bool prepared::step() { return statement_->executeStep(); }

void prepared::lend(int index, const json_text* json) {
  if (json != nullptr) {
    lend(index, *json);
  } else {
    bind(index, nullptr);
  }
}

std::int64_t prepared::run() {
  while (statement_->executeStep()) {
  }
  return statement_->getChanges();
}

bool prepared::is_null(int column) const { return statement_->isColumnNull(column); }

std::int64_t prepared::number(int column) const { return statement_->getColumn(column).getInt64(); }

double prepared::real(int column) const { return statement_->getColumn(column).getDouble(); }

std::string prepared::text(int column) const { return statement_->getColumn(column).getString(); }

std::optional<std::int64_t> prepared::number_if(int column) const {
  return is_null(column) ? std::nullopt : std::optional{number(column)};
}

std::optional<timestamp> prepared::time_if(int column) const {
  return is_null(column) ? std::nullopt : std::optional{time(column)};
}

std::optional<std::chrono::microseconds> prepared::length_if(int column) const {
  return is_null(column) ? std::nullopt : std::optional{std::chrono::microseconds{number(column)}};
}

statement_cache::statement_cache(SQLite::Database& connection) noexcept : connection_(&connection) {}

statement_cache::~statement_cache() = default;

SQLite::Statement& statement_cache::find(const char* sql) {
  auto& kept = kept_[sql];
  if (!kept) {
    kept = std::make_unique<SQLite::Statement>(*connection_, sql);
  }
  return *kept;
}

}  // namespace troupe
