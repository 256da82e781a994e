#include "storage/legacy_row.hpp"

#include "messages/base/json_text.hpp"
#include "messages/base/sha256.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace troupe {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string number_text(double number) {
  if (!std::isfinite(number)) {
    return number > 0 ? "inf" : "-inf";  // SQLite stores no NaN
  }
  std::string text;
  append_json_number(text, number);
  return text;
}

void append_field(std::string& out, char type, std::string_view bytes) {
  out += type;
  const auto length = static_cast<std::uint64_t>(bytes.size());
  for (int shift = 56; shift >= 0; shift -= 8) {
    out += static_cast<char>(length >> static_cast<unsigned>(shift));
  }
  out += bytes;
}

struct append_value {
  std::string& out;

  void operator()(std::int64_t number) const { append_field(out, 'i', std::to_string(number)); }
  void operator()(double number) const { append_field(out, 'r', std::to_string(std::bit_cast<std::uint64_t>(number))); }
  void operator()(const std::string& text) const { append_field(out, 't', text); }
  void operator()(const legacy_blob& blob) const { append_field(out, 'b', blob.bytes); }
};

struct value_json {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    return std::isfinite(number) ? number_text(number) : "{\"real\":" + json_string(number_text(number)) + '}';
  }
  std::string operator()(const std::string& text) const {
    return repair_utf8(text) == text ? json_string(text) : "{\"text_hex\":\"" + hex(text) + "\"}";
  }
  std::string operator()(const legacy_blob& blob) const { return "{\"blob_hex\":\"" + hex(blob.bytes) + "\"}"; }
};

struct value_text {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return number_text(number); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const legacy_blob& blob) const { return blob.bytes; }
};

}  // namespace

std::string_view to_string(legacy_table table) noexcept {
  switch (table) {
    case legacy_table::artefacts:
      return "consensus_artifacts";
    case legacy_table::executions:
      return "agent_executions";
    case legacy_table::syntheses:
      return "consensus_synthesis";
  }
  return "unknown";
}

const legacy_value* find_column(const legacy_row& row, std::string_view name) noexcept {
  const auto found = row.columns.find(name);
  return found == row.columns.end() ? nullptr : &found->second;
}

std::string text_of(const legacy_value& value) { return std::visit(value_text{}, value); }

std::optional<std::string> text_column(const legacy_row& row, std::string_view name) {
  const legacy_value* const value = find_column(row, name);
  if (value == nullptr) {
    return std::nullopt;
  }
  auto text = text_of(*value);
  const bool blank = text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
  return blank ? std::nullopt : std::optional{std::move(text)};
}

std::string key_of(const legacy_row& row) {
  auto key = text_column(row, row.table == legacy_table::executions ? "agent_id" : "id");
  return key ? *std::move(key) : "rowid:" + std::to_string(row.rowid);
}

legacy_digest digest_of(const legacy_row& row) {
  std::string bytes;
  append_field(bytes, 'T', to_string(row.table));
  for (const auto& [name, value] : row.columns) {
    append_field(bytes, 'c', name);
    std::visit(append_value{bytes}, value);
  }
  return sha256(bytes);
}

std::string json_of(const legacy_row& row, std::initializer_list<std::string_view> elsewhere) {
  std::string out = "{";
  for (const auto& [name, value] : row.columns) {
    if (std::holds_alternative<std::string>(value) && std::ranges::find(elsewhere, name) != elsewhere.end()) {
      continue;
    }
    out += (out.size() > 1 ? "," : "") + json_string(name) + ':' + std::visit(value_json{}, value);
  }
  return out + '}';
}

}  // namespace troupe
