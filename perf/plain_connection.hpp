// SQLite with nothing of ours around it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace troupe::perf {

/// One thread at a time. Throws what SQLite says.
class plain_connection {
 public:
  /// A busy_timeout of 5 s, foreign keys, mmap and cache as the runtime has them, and nothing else.
  explicit plain_connection(const std::filesystem::path& path);
  plain_connection(const plain_connection&) = delete;
  plain_connection& operator=(const plain_connection&) = delete;
  ~plain_connection();

  void run(const std::string& sql);

  /// The first column of the first row; 0 where there is none.
  std::int64_t number(const char* sql);

  /// Reads every column of every row, with a kept statement: `sql` is a constant, found by its address. Its parameters are
  /// `text` and, where it has a second one, 0. Returns the bytes.
  std::size_t read(const char* sql, std::string_view text);

 private:
  sqlite3_stmt* prepared(const char* sql);
  void must(bool is_good) const;

  sqlite3* connection_ = nullptr;
  std::map<const char*, sqlite3_stmt*> kept_;
};

}  // namespace troupe::perf
