#include "config/toml_text.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {
namespace {

bool is_bare(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '_' || letter == '-';
}

void append_toml_string(std::string& out, std::string_view text) {
  constexpr char del = 0x7F;  // JSON lets it pass, TOML does not.
  const std::string quoted = json_string(text);
  for (const char byte : quoted) {
    if (byte == del) {
      out += "\\u007f";
    } else {
      out += byte;
    }
  }
}

// A TOML float has a point or an exponent, or it would be read as an integer.
void append_toml_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "nan";
    return;
  }
  if (std::isinf(number)) {
    out += number < 0 ? "-inf" : "inf";
    return;
  }
  std::string text;
  append_json_number(text, number);
  if (text.find_first_of(".e") == std::string::npos) {
    text += ".0";
  }
  out += text;
}

struct toml_writer {
  std::string& out;

  void operator()(bool value) const { out += value ? "true" : "false"; }

  void operator()(std::int64_t value) const { out += std::to_string(value); }

  void operator()(double value) const { append_toml_number(out, value); }

  void operator()(const std::string& value) const { append_toml_string(out, value); }

  void operator()(const toml_date& value) const { out += value.text; }

  void operator()(const toml_list& list) const {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      out += i == 0 ? "" : ", ";
      append_toml(out, list[i]);
    }
    out += ']';
  }

  void operator()(const toml_table& table) const {
    out += table.members.empty() ? "{" : "{ ";
    for (std::size_t i = 0; i < table.members.size(); ++i) {
      out += i == 0 ? "" : ", ";
      out += toml_key(table.members[i].key) + " = ";
      append_toml(out, table.members[i].value);
    }
    out += table.members.empty() ? "}" : " }";
  }
};

struct json_writer {
  std::string& out;

  void operator()(bool value) const { out += value ? "true" : "false"; }

  void operator()(std::int64_t value) const { out += std::to_string(value); }

  void operator()(double value) const { append_json_number(out, value); }

  void operator()(const std::string& value) const { append_json_string(out, value); }

  void operator()(const toml_date& value) const { append_json_string(out, value.text); }

  void operator()(const toml_list& list) const {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      out += i == 0 ? "" : ",";
      append_json(out, list[i]);
    }
    out += ']';
  }

  void operator()(const toml_table& table) const {
    std::vector<const toml_member*> sorted;
    for (const auto& member : table.members) {
      sorted.push_back(&member);
    }
    // The order of UTF-8 bytes is the order of code points.
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    out += '{';
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      out += i == 0 ? "" : ",";
      append_json_string(out, sorted[i]->key);
      out += ':';
      append_json(out, sorted[i]->value);
    }
    out += '}';
  }
};

}  // namespace

std::string toml_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
  return bare ? std::string{key} : toml_string(key);
}

std::string toml_string(std::string_view text) {
  std::string out;
  append_toml_string(out, text);
  return out;
}

void append_toml(std::string& out, const toml_node& node) { std::visit(toml_writer{out}, node.value); }

std::string toml_value(const toml_node& node) {
  std::string out;
  append_toml(out, node);
  return out;
}

void append_json(std::string& out, const toml_node& node) { std::visit(json_writer{out}, node.value); }

json_text to_json(const toml_node& node) {
  std::string out;
  append_json(out, node);
  return json_text{std::move(out)};
}

const toml_node* find_not_finite(const toml_node& node) noexcept {
  if (const auto* number = node.as<double>()) {
    return std::isfinite(*number) ? nullptr : &node;
  }
  if (const auto* list = node.as<toml_list>()) {
    for (const auto& item : *list) {
      if (const auto* found = find_not_finite(item)) {
        return found;
      }
    }
  }
  if (const auto* table = node.as<toml_table>()) {
    for (const auto& member : table->members) {
      if (const auto* found = find_not_finite(member.value)) {
        return found;
      }
    }
  }
  return nullptr;
}

}  // namespace troupe
