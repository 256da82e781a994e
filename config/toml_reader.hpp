// Reads one table key by key. Whatever nobody asked for is an unknown key.
#pragma once

#include "config/toml_values.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class toml_reader {
 public:
  /// All outlive the reader. `path` is the table's own, empty for the whole file.
  toml_reader(const toml_table& table, toml_place at, std::string path, problem_sink& sink, source_map& positions);

  /// The key's value, if it is there. The key counts as known from now on; its place is noted.
  std::optional<toml_value_ref> take(std::string_view key);

  /// As take, with a complaint where it is missing.
  std::optional<toml_value_ref> require(std::string_view key, std::string hint);

  bool has(std::string_view key) const noexcept { return table_.find(key) != nullptr; }

  /// Complains about each key that was not taken, with the nearest of those that were asked for.
  void finish();

  std::string path_of(std::string_view key) const;
  problem_sink& sink() const noexcept { return sink_; }
  source_map& positions() const noexcept { return positions_; }
  toml_place place() const noexcept { return at_; }

 private:
  const toml_table& table_;
  toml_place at_;
  std::string path_;
  problem_sink& sink_;
  source_map& positions_;
  std::vector<std::string> known_;
};

/// The table that `value` has to be; null after a complaint.
const toml_table* read_table(const toml_value_ref& value);

/// The value as canonical JSON; nothing after a complaint (infinities, NaN).
std::optional<json_text> read_json(const toml_value_ref& value);

/// A name by is_name; nothing after a complaint. `what` is "the id of a step".
std::optional<std::string> read_name(const toml_value_ref& value, std::string_view what);

std::optional<std::string> read_pointer(const toml_value_ref& value);

template <class Enum, std::size_t N>
std::optional<Enum> read_enum(const toml_value_ref& value, const std::array<std::string_view, N>& names) {
  const auto index = read_choice(value, names);
  return index ? std::optional{static_cast<Enum>(*index)} : std::nullopt;
}

}  // namespace troupe
