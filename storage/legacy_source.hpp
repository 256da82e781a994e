// A database of the older system, read: every row looked at once, and brought into groups.
#pragma once

#include "messages/base/result.hpp"
#include "storage/legacy_entry.hpp"
#include "storage/legacy_grouping.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// What one table holds, and what cannot be used of it. read = entries + all that is skipped.
struct legacy_table_facts {
  enum class presence { missing, there };

  presence is = presence::missing;
  std::int64_t read = 0;
  std::map<legacy_skip, std::vector<std::string>> skipped;  ///< Keys of the rows, in the order of the table.

  /// Texts that are carried as they are, although they are not what their column promises.
  std::int64_t ill_formed_utf8 = 0;  ///< Rows with such a text.
  std::int64_t invalid_json = 0;     ///< Artefacts whose content_json is none.
  std::int64_t other_types = 0;      ///< Rows with a number or a blob for a text; stored as text.
};

/// One thread. Every call may block on the disk.
class legacy_source {
 public:
  /// Reads all of `path` by way of a private copy in `scratch` (legacy_copy.hpp). Errors: those of legacy_copy::make, and
  /// INVALID_INPUT for a database that has none of the tables, or is Troupe's own.
  static result<legacy_source> open(const std::filesystem::path& path, const std::filesystem::path& scratch);

  legacy_source(legacy_source&&) noexcept;
  legacy_source& operator=(legacy_source&&) noexcept;
  ~legacy_source();

  const std::filesystem::path& path() const noexcept;
  const legacy_table_facts& facts(legacy_table table) const noexcept;

  /// All rows that can be used, but for executions that gave nothing and stand alone: each is in one group.
  const std::vector<legacy_entry>& entries() const noexcept;
  /// Their members refer to entries().
  const std::vector<legacy_group>& groups() const noexcept;

  /// The row of an entry. Throws SQLite::Exception.
  legacy_row row(const legacy_entry& entry);

 private:
  struct state;
  explicit legacy_source(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
