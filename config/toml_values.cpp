#include "config/toml_values.hpp"

#include "config/toml_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> size_units{{{"TiB", std::int64_t{1} << 40U},
                                                                               {"GiB", std::int64_t{1} << 30U},
                                                                               {"MiB", std::int64_t{1} << 20U},
                                                                               {"KiB", std::int64_t{1} << 10U},
                                                                               {"B", 1}}};
constexpr std::size_t name_max = 64;
constexpr std::size_t quoted_max = 40;

bool is_lower_or_digit(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

bool is_name_character(char letter) { return is_lower_or_digit(letter) || letter == '_' || letter == '-'; }

// The value as the file has it, if that is short; else its kind.
std::string shown(const toml_node& node) {
  if (node.as<toml_list>() == nullptr && node.as<toml_table>() == nullptr) {
    std::string text = toml_value(node);
    if (text.size() <= quoted_max) {
      return text;
    }
  }
  return std::string{kind_name(node)};
}

std::nullopt_t refuse_kind(const toml_value_ref& value, std::string_view wanted, std::string hint = {}) {
  std::string text = "must be " + std::string{wanted} + "; this is " + shown(value.node);
  return value.refuse(text, std::move(hint));
}

std::nullopt_t refuse_range(const toml_value_ref& value, std::string_view range) {
  return value.refuse("must be " + std::string{range} + "; this is " + shown(value.node));
}

std::string last_part(std::string_view path) {
  const auto cut = path.find_last_of('.');
  return std::string{cut == std::string_view::npos ? path : path.substr(cut + 1)};
}

std::string number_text(double number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

}  // namespace

problem_sink::problem_sink(std::string file, error_code code) : file_(std::move(file)), code_(code) {}

void problem_sink::error(toml_place at, std::string key, std::string message, std::string hint) {
  found_.push_back(
      {problem::severity::error, code_, position(at), std::move(key), std::move(message), std::move(hint)});
}

void problem_sink::warning(toml_place at, std::string key, std::string message, std::string hint) {
  found_.push_back(
      {problem::severity::warning, code_, position(at), std::move(key), std::move(message), std::move(hint)});
}

std::nullopt_t toml_value_ref::refuse(std::string_view text, std::string hint) const {
  sink.error(node.begin, path, '\'' + last_part(path) + "' " + std::string{text}, std::move(hint));
  return std::nullopt;
}

std::optional<bool> read_boolean(const toml_value_ref& value) {
  const auto* held = value.node.as<bool>();
  if (held == nullptr) {
    return refuse_kind(value, "true or false");
  }
  return *held;
}

std::optional<std::int64_t> read_integer(const toml_value_ref& value, integer_range range) {
  const auto* held = value.node.as<std::int64_t>();
  const std::string allowed = range_text(range);
  if (held == nullptr) {
    return refuse_kind(value, "an integer" + (allowed.empty() ? allowed : ", " + allowed));
  }
  if (*held < range.min || *held > range.max) {
    return refuse_range(value, allowed);
  }
  return *held;
}

std::optional<double> read_number(const toml_value_ref& value, double min, double max) {
  const auto* whole = value.node.as<std::int64_t>();
  const auto* held = value.node.as<double>();
  if (whole == nullptr && held == nullptr) {
    return refuse_kind(value, "a number");
  }
  const double number = whole != nullptr ? static_cast<double>(*whole) : *held;
  if (!std::isfinite(number) || number < min || number > max) {
    return refuse_range(value, "a number from " + number_text(min) + " to " + number_text(max));
  }
  return number;
}

std::optional<std::string> read_text(const toml_value_ref& value) {
  const auto* held = value.node.as<std::string>();
  if (held == nullptr) {
    return refuse_kind(value, "a string");
  }
  if (held->find('\0') != std::string::npos) {
    return value.refuse("holds a NUL character");
  }
  return *held;
}

std::optional<milliseconds> read_duration(const toml_value_ref& value, duration_range range) {
  static constexpr std::string_view form =
      "write a whole number and a unit: \"250ms\", \"5s\", \"10m\", \"24h\", \"90d\"";
  const auto* held = value.node.as<std::string>();
  if (held == nullptr) {
    return refuse_kind(value, "a duration with a unit", std::string{form});
  }
  const auto length = parse_duration(*held);
  if (!length) {
    return value.refuse("is not a duration: " + shown(value.node), std::string{form});
  }
  if (*length < range.min || *length > range.max) {
    return refuse_range(value, "a duration from " + to_text(range.min) + " to " + to_text(range.max));
  }
  return length;
}

std::optional<std::int64_t> read_size(const toml_value_ref& value, integer_range range) {
  static constexpr std::string_view form = "write a whole number and a unit: \"512B\", \"64KiB\", \"50MiB\", \"1GiB\"";
  const auto* held = value.node.as<std::string>();
  if (held == nullptr) {
    return refuse_kind(value, "a size with a unit", std::string{form});
  }
  const auto bytes = parse_size(*held);
  if (!bytes) {
    return value.refuse("is not a size: " + shown(value.node), std::string{form});
  }
  if (*bytes < range.min || *bytes > range.max) {
    return refuse_range(value, "a size from " + size_text(range.min) + " to " + size_text(range.max));
  }
  return bytes;
}

std::optional<std::vector<std::string>> read_texts(const toml_value_ref& value) {
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    return refuse_kind(value, "a list of strings", "write [\"a\", \"b\"]");
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml_value_ref item{(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink};
    if (auto text = read_text(item)) {
      out.push_back(std::move(*text));
    }
  }
  return out.size() == list->size() ? std::optional{std::move(out)} : std::nullopt;
}

std::optional<std::vector<int>> read_integers(const toml_value_ref& value, integer_range range) {
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    return refuse_kind(value, "a list of integers", "write [0, 1]");
  }
  std::vector<int> out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml_value_ref item{(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink};
    if (const auto number = read_integer(item, range)) {
      out.push_back(static_cast<int>(*number));
    }
  }
  return out.size() == list->size() ? std::optional{std::move(out)} : std::nullopt;
}

std::optional<std::size_t> read_choice(const toml_value_ref& value, std::span<const std::string_view> names) {
  std::string allowed;
  for (const auto name : names) {
    allowed += (allowed.empty() ? "" : ", ") + toml_string(name);
  }
  const auto* held = value.node.as<std::string>();
  if (held == nullptr) {
    return refuse_kind(value, "one of " + allowed);
  }
  const auto found = std::find(names.begin(), names.end(), *held);
  if (found != names.end()) {
    return static_cast<std::size_t>(found - names.begin());
  }
  const std::vector<std::string> candidates{names.begin(), names.end()};
  const auto near = nearest_name(*held, candidates);
  return value.refuse("must be one of " + allowed + "; this is " + shown(value.node),
                      near ? "did you mean \"" + *near + "\"?" : "");
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, count);
  if (failure != std::errc{} || text.front() == '-') {
    return std::nullopt;
  }
  const std::string_view unit{stop, static_cast<std::size_t>(end - stop)};
  for (const auto& [name, factor] : size_units) {
    if (unit == name) {
      return count <= std::numeric_limits<std::int64_t>::max() / factor ? std::optional{count * factor} : std::nullopt;
    }
  }
  return std::nullopt;
}

std::string size_text(std::int64_t bytes) {
  for (const auto& [name, factor] : size_units) {
    if (bytes != 0 && bytes % factor == 0) {
      return std::to_string(bytes / factor) + std::string{name};
    }
  }
  return "0B";
}

std::string range_text(integer_range range) {
  const bool has_min = range.min != integer_range{}.min;
  const bool has_max = range.max != integer_range{}.max;
  if (has_min && has_max) {
    return "from " + std::to_string(range.min) + " to " + std::to_string(range.max);
  }
  if (has_min) {
    return "at least " + std::to_string(range.min);
  }
  return has_max ? "at most " + std::to_string(range.max) : "";
}

bool is_json_pointer(std::string_view text) noexcept {
  if (text.empty()) {
    return true;
  }
  if (text.front() != '/') {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) {
      return false;
    }
  }
  return true;
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= name_max && is_lower_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_field_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= name_max && std::all_of(text.begin(), text.end(), [](char letter) {
    return is_name_character(letter) || (letter >= 'A' && letter <= 'Z');
  });
}

}  // namespace troupe
