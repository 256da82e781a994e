// Prepared statements that are kept: preparing again costs twice what running does (SQLiteCpp keeps none).
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace troupe {

/// Bytes bound as a BLOB without a copy: they must live until the statement has run.
struct borrowed_blob {
  std::string_view bytes;
};

/// One use of a kept statement, from binding to the last row; it is free again when this goes. Throws
/// SQLite::Exception, which the sessions catch.
class prepared {
 public:
  /// Binds `values` to the parameters in order, from 1.
  template <class... Values>
  explicit prepared(SQLite::Statement& statement, const Values&... values) : statement_(&statement) {
    [[maybe_unused]] int index = 0;
    (bind(++index, values), ...);
  }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;
  ~prepared();

  void bind(int index, std::nullptr_t);
  void bind(int index, std::int64_t number);
  void bind(int index, const std::string& text);
  void bind(int index, std::string_view text);
  void bind(int index, const char* text) { bind(index, std::string_view{text}); }
  void bind(int index, borrowed_blob blob);
  void bind(int index, int number) { bind(index, std::int64_t{number}); }
  void bind(int index, bool truth) { bind(index, std::int64_t{truth ? 1 : 0}); }
  void bind(int index, timestamp at) { bind(index, std::int64_t{at.time_since_epoch().count()}); }
  void bind(int index, const json_text& json) { bind(index, json.str()); }
  template <class Tag>
  void bind(int index, const text_id<Tag>& id) {
    bind(index, id.str());
  }
  template <class Tag>
  void bind(int index, const number_id<Tag>& id) {
    bind(index, std::int64_t{id.value()});
  }
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      bind(index, nullptr);
    }
  }

  /// As bind, but strings are not copied: they must live until the statement has run.
  template <class T>
  void lend(int index, const T& value) {
    bind(index, value);
  }
  void lend(int index, const std::string& text);
  void lend(int index, const json_text& json) { lend(index, json.str()); }
  void lend(int index, const json_text* json);  ///< Null: NULL.
  template <class Tag>
  void lend(int index, const text_id<Tag>& id) {
    lend(index, id.str());
  }
  template <class T>
  void lend(int index, const std::optional<T>& value) {
    if (value) {
      lend(index, *value);
    } else {
      bind(index, nullptr);
    }
  }

  bool step();         ///< True: there is a row.
  std::int64_t run();  ///< To the end, whatever rows there are (an INSERT ... RETURNING has some). Rows changed.

  bool is_null(int column) const;
  std::int64_t number(int column) const;
  bool truth(int column) const { return number(column) != 0; }
  double real(int column) const;
  std::string text(int column) const;  ///< Or the bytes of a BLOB; empty for NULL.
  timestamp time(int column) const { return timestamp{std::chrono::microseconds{number(column)}}; }
  std::optional<std::int64_t> number_if(int column) const;
  std::optional<timestamp> time_if(int column) const;
  std::optional<std::chrono::microseconds> length_if(int column) const;

 private:
  SQLite::Statement* statement_;
};

/// The statements of one connection, by the address of their text: pass constants only. Must go before the connection.
class statement_cache {
 public:
  explicit statement_cache(SQLite::Database& connection) noexcept;
  statement_cache(const statement_cache&) = delete;
  statement_cache& operator=(const statement_cache&) = delete;
  ~statement_cache();

  /// The statement with its parameters bound in order. A statement has one use at a time.
  template <class... Values>
  prepared use(const char* sql, const Values&... values) {
    return prepared{find(sql), values...};
  }

  /// Runs the statement to its end and returns how many rows it changed.
  template <class... Values>
  std::int64_t run(const char* sql, const Values&... values) {
    prepared statement{find(sql)};
    [[maybe_unused]] int index = 0;
    (statement.lend(++index, values), ...);
    return statement.run();
  }

 private:
  SQLite::Statement& find(const char* sql);

  SQLite::Database* connection_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> kept_;
};

}  // namespace troupe
