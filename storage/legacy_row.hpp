// A row of the older system, as its file has it: any column may be missing, and any value may be of any type.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe {

/// In the order in which rows of the same time are looked at: what was said comes before what was made of it.
enum class legacy_table { artefacts, executions, syntheses };

inline constexpr std::array legacy_tables{legacy_table::artefacts, legacy_table::executions, legacy_table::syntheses};

/// The table's name in both databases: `consensus_artifacts`. Stored in imported_rows.table_name: never rename.
std::string_view to_string(legacy_table table) noexcept;

struct legacy_blob {
  std::string bytes;

  friend bool operator==(const legacy_blob&, const legacy_blob&) = default;
};

/// Never NULL: such a column is left out of its row. Text is whatever bytes the file has, also ill-formed UTF-8.
using legacy_value = std::variant<std::int64_t, double, std::string, legacy_blob>;

struct legacy_row {
  legacy_table table = legacy_table::artefacts;
  std::int64_t rowid = 0;
  std::map<std::string, legacy_value, std::less<>> columns;  ///< By name in lower case.
};

const legacy_value* find_column(const legacy_row& row, std::string_view name) noexcept;

/// Text and blobs as they are, numbers in digits.
std::string text_of(const legacy_value& value);

/// The same of a column, where it is there and holds more than white space.
std::optional<std::string> text_column(const legacy_row& row, std::string_view name);

/// `id`, or `agent_id` of an execution; `rowid:N` where it has none.
std::string key_of(const legacy_row& row);

using legacy_digest = std::array<std::uint8_t, 32>;

/// SHA-256 over every column: name, type and bytes. NULL and a column that is not there are the same. Stored in
/// imported_rows.content_hash: the encoding never changes.
legacy_digest digest_of(const legacy_row& row);

/// The row as a canonical JSON object, without those columns of `elsewhere` that hold text: they are kept as they are
/// in columns of their own. JSON has no place for blobs, ill-formed UTF-8 and infinities: they stand as
/// {"blob_hex":"00ff"}, {"text_hex":"ff"} and {"real":"inf"}.
std::string json_of(const legacy_row& row, std::initializer_list<std::string_view> elsewhere);

}  // namespace troupe
