// Typed reading of values, with complaints that say what would be right.
#pragma once

#include "config/source_map.hpp"
#include "config/toml_document.hpp"
#include "messages/base/time.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Collects what is wrong with one file, or with one assignment.
class problem_sink {
 public:
  problem_sink(std::string file, error_code code);

  void error(toml_place at, std::string key, std::string message, std::string hint = {});
  void warning(toml_place at, std::string key, std::string message, std::string hint = {});

  source_position position(toml_place at) const { return {file_, at.line, at.column}; }

  std::size_t count() const noexcept { return found_.size(); }

  std::vector<problem> take() { return std::exchange(found_, {}); }

 private:
  std::string file_;
  error_code code_;
  std::vector<problem> found_;
};

/// A value, its path for problems, and where to complain.
struct toml_value_ref {
  const toml_node& node;
  std::string path;
  problem_sink& sink;

  /// One problem at the value: `'max_batch' ` and the text. Always nothing, so that a reader can return it.
  std::nullopt_t refuse(std::string_view text, std::string hint = {}) const;
};

/// Inclusive at both ends.
struct integer_range {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

struct duration_range {
  milliseconds min{0};
  milliseconds max{std::chrono::hours{24 * 36'500}};
};

std::optional<bool> read_boolean(const toml_value_ref& value);
std::optional<std::int64_t> read_integer(const toml_value_ref& value, integer_range range = {});
std::optional<double> read_number(const toml_value_ref& value, double min, double max);
std::optional<std::string> read_text(const toml_value_ref& value);
std::optional<milliseconds> read_duration(const toml_value_ref& value, duration_range range = {});
/// Bytes, from `"64KiB"`.
std::optional<std::int64_t> read_size(const toml_value_ref& value, integer_range range = {});
std::optional<std::vector<std::string>> read_texts(const toml_value_ref& value);
std::optional<std::vector<int>> read_integers(const toml_value_ref& value, integer_range range);
/// The index of the text in `names`.
std::optional<std::size_t> read_choice(const toml_value_ref& value, std::span<const std::string_view> names);

/// `2MiB`; units B, KiB, MiB, GiB, TiB; no sign, no fraction, no space.
std::optional<std::int64_t> parse_size(std::string_view text);
/// The shortest spelling that parse_size reads back.
std::string size_text(std::int64_t bytes);

/// `1 to 64`, `at least 1`, `up to 64`; empty for the whole range.
std::string range_text(integer_range range);

/// Empty, or `/` before each part, with `~` only as `~0` or `~1` (RFC 6901).
bool is_json_pointer(std::string_view text) noexcept;

/// `^[a-z0-9][a-z0-9_-]{0,63}$`: workflows, steps, agents.
bool is_name(std::string_view text) noexcept;
inline constexpr std::string_view name_rule =
    "a name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts with a letter or digit";

/// The same with capitals, and without the limit on the first character's kind: fields of the state, inputs.
bool is_field_name(std::string_view text) noexcept;
inline constexpr std::string_view field_rule = "a field has 1 to 64 characters of a-z, A-Z, 0-9, '_' and '-'";

}  // namespace troupe
