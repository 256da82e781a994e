// parse_json of config/toml_text.hpp: RFC 8259, without null.
#include "config/toml_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace troupe {
namespace {

constexpr int deepest = 200;  // Below the nesting that the TOML reader takes.

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

class json_reader {
 public:
  explicit json_reader(std::string_view text) : rest_(text) {}

  std::optional<toml_node> document() {
    auto value = read_value(0);
    skip_space();
    return value && rest_.empty() ? std::move(value) : std::nullopt;
  }

 private:
  void skip_space() {
    const auto start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
  }

  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<toml_node> read_value(int depth) {
    skip_space();
    if (rest_.empty() || depth > deepest) {
      return std::nullopt;
    }
    switch (rest_.front()) {
      case '{':
        return read_table(depth);
      case '[':
        return read_list(depth);
      case '"': {
        auto text = read_string();
        return text ? std::optional<toml_node>{toml_node{std::move(*text)}} : std::nullopt;
      }
      case 't':
        return take_word("true") ? std::optional<toml_node>{toml_node{true}} : std::nullopt;
      case 'f':
        return take_word("false") ? std::optional<toml_node>{toml_node{false}} : std::nullopt;
      default:
        return read_number();
    }
  }

  std::optional<toml_node> read_table(int depth) {
    toml_table table;
    take('{');
    if (take('}')) {
      return toml_node{std::move(table)};
    }
    do {
      skip_space();
      auto key = read_string();
      if (!key || table.find(*key) != nullptr || !take(':')) {
        return std::nullopt;
      }
      auto value = read_value(depth + 1);
      if (!value) {
        return std::nullopt;
      }
      table.members.push_back({std::move(*key), {}, std::move(*value)});
    } while (take(','));
    return take('}') ? std::optional<toml_node>{toml_node{std::move(table)}} : std::nullopt;
  }

  std::optional<toml_node> read_list(int depth) {
    toml_list list;
    take('[');
    if (take(']')) {
      return toml_node{std::move(list)};
    }
    do {
      auto value = read_value(depth + 1);
      if (!value) {
        return std::nullopt;
      }
      list.push_back(std::move(*value));
    } while (take(','));
    return take(']') ? std::optional<toml_node>{toml_node{std::move(list)}} : std::nullopt;
  }

  std::optional<std::string> read_string() {
    if (!take_word("\"")) {
      return std::nullopt;
    }
    std::string out;
    while (!rest_.empty()) {
      const char next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '"') {
        return repair_utf8(out) == out ? std::optional{std::move(out)} : std::nullopt;
      }
      if (static_cast<unsigned char>(next) < 0x20U || (next == '\\' && !read_escape(out))) {
        return std::nullopt;
      }
      if (next != '\\') {
        out += next;
      }
    }
    return std::nullopt;
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) {
      return false;
    }
    const auto known = letters.find(rest_.front());
    if (known != std::string_view::npos) {
      out += meanings[known];
      rest_.remove_prefix(1);
      return true;
    }
    const auto code = read_code_unit();
    if (!code || (*code >= 0xDC00U && *code <= 0xDFFFU)) {
      return false;
    }
    if (*code < 0xD800U || *code > 0xDBFFU) {
      append_utf8(out, *code);
      return true;
    }
    const auto low = take_word("\\") ? read_code_unit() : std::nullopt;
    if (!low || *low < 0xDC00U || *low > 0xDFFFU) {
      return false;
    }
    append_utf8(out, 0x10000U + ((*code - 0xD800U) << 10U) + (*low - 0xDC00U));
    return true;
  }

  // `uXXXX`
  std::optional<std::uint32_t> read_code_unit() {
    if (rest_.size() < 5 || rest_.front() != 'u') {
      return std::nullopt;
    }
    std::uint32_t code = 0;
    const char* const end = rest_.data() + 5;
    const auto [stop, failure] = std::from_chars(rest_.data() + 1, end, code, 16);
    if (failure != std::errc{} || stop != end) {
      return std::nullopt;
    }
    rest_.remove_prefix(5);
    return code;
  }

  std::size_t digits_from(std::size_t at) const {
    const auto end = rest_.find_first_not_of("0123456789", at);
    return (end == std::string_view::npos ? rest_.size() : end) - std::min(at, rest_.size());
  }

  // The grammar of RFC 8259, section 6: from_chars alone would take "01" and "1.".
  std::optional<toml_node> read_number() {
    std::size_t length = rest_.front() == '-' ? 1 : 0;
    const std::size_t whole = digits_from(length);
    if (whole == 0 || (whole > 1 && rest_[length] == '0')) {
      return std::nullopt;
    }
    length += whole;
    bool is_integer = true;
    if (length < rest_.size() && rest_[length] == '.') {
      const std::size_t fraction = digits_from(length + 1);
      if (fraction == 0) {
        return std::nullopt;
      }
      length += 1 + fraction;
      is_integer = false;
    }
    if (length < rest_.size() && (rest_[length] == 'e' || rest_[length] == 'E')) {
      const bool sign = length + 1 < rest_.size() && (rest_[length + 1] == '+' || rest_[length + 1] == '-');
      const std::size_t start = length + (sign ? 2 : 1);
      const std::size_t power = digits_from(start);
      if (power == 0) {
        return std::nullopt;
      }
      length = start + power;
      is_integer = false;
    }
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return to_number(text, is_integer);
  }

  static std::optional<toml_node> to_number(std::string_view text, bool is_integer) {
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (is_integer && std::from_chars(text.data(), end, whole).ec == std::errc{}) {
      return toml_node{whole};
    }
    double number = 0;
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    return failure == std::errc{} && stop == end ? std::optional<toml_node>{toml_node{number}} : std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<toml_node> parse_json(std::string_view text) { return json_reader{text}.document(); }

}  // namespace troupe
