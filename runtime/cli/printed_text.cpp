#include "runtime/cli/printed_text.hpp"

#include "messages/base/json_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace troupe {
namespace {

struct decoded {
  char32_t point = 0;
  std::size_t length = 1;
};

/// The character that starts at `at`; U+FFFD and one byte where the bytes are none.
decoded decode(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80U) {
    return {first, 1};
  }
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : first >= 0xC0U ? 2 : 0;
  if (length == 0 || at + length > text.size()) {
    return {U'\uFFFD', 1};
  }
  char32_t point = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      return {U'\uFFFD', 1};
    }
    point = (point << 6U) | (byte(at + i) & 0x3FU);
  }
  return {point, length};
}

using range = std::pair<char32_t, char32_t>;

bool within(char32_t point, const auto& ranges) noexcept {
  return std::ranges::any_of(ranges, [&](const range& each) { return point >= each.first && point <= each.second; });
}

/// Unicode 15: East Asian Width W and F (the blocks, not each assignment), and what emoji are made of.
constexpr std::array<range, 17> wide{{{0x1100, 0x115F},
                                      {0x231A, 0x231B},
                                      {0x23E9, 0x23EC},
                                      {0x25FD, 0x25FE},
                                      {0x2614, 0x2615},
                                      {0x26A1, 0x26A1},
                                      {0x2705, 0x2705},
                                      {0x274C, 0x274C},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};

/// Marks that stand on the character before them, joiners and selectors.
constexpr std::array<range, 9> narrowless{{{0x0300, 0x036F},
                                           {0x0483, 0x0489},
                                           {0x0591, 0x05BD},
                                           {0x064B, 0x065F},
                                           {0x1AB0, 0x1AFF},
                                           {0x1DC0, 0x1DFF},
                                           {0x200B, 0x200F},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F}}};

int width_of(char32_t point) noexcept {
  if (point < 0x20U || within(point, narrowless)) {
    return 0;
  }
  return within(point, wide) ? 2 : 1;
}

/// The length of the escape sequence at `at` (ECMA-48: CSI, OSC and the two-byte ones), 0 if there is none.
std::size_t escape_length(std::string_view text, std::size_t at) noexcept {
  if (text[at] != '\x1b') {
    return 0;
  }
  std::size_t end = at + 1;
  if (end >= text.size()) {
    return 1;
  }
  if (text[end] == '[') {
    for (++end; end < text.size() && (text[end] < '@' || text[end] > '~'); ++end) {
    }
    return std::min(end + 1, text.size()) - at;
  }
  if (text[end] == ']') {
    const std::size_t bell = text.find_first_of("\x07\x1b", end);
    return (bell == std::string_view::npos ? text.size() : bell + 1) - at;
  }
  return 2;
}

/// Calls `each(piece, columns)` for every character and every escape sequence.
template <class Each>
void for_each_piece(std::string_view text, Each each) {
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t escape = escape_length(text, at); escape > 0) {
      each(text.substr(at, escape), 0);
      at += escape;
      continue;
    }
    const decoded next = decode(text, at);
    each(text.substr(at, next.length), width_of(next.point));
    at += next.length;
  }
}

bool is_control(char32_t point) noexcept {
  return point < 0x20U || (point >= 0x7FU && point < 0xA0U) || (point >= 0x202AU && point <= 0x202EU) ||
         (point >= 0x2066U && point <= 0x2069U);
}

}  // namespace

int printed_width(std::string_view text) noexcept {
  int columns = 0;
  for_each_piece(text, [&](std::string_view, int width) { columns += width; });
  return columns;
}

std::string printable(std::string_view bytes) {
  const std::string text = repair_utf8(bytes);
  std::string safe;
  safe.reserve(text.size());
  for_each_piece(text, [&](std::string_view piece, int) {
    if (piece.front() == '\x1b') {
      return;
    }
    if (is_control(decode(piece, 0).point)) {
      safe += ' ';
    } else {
      safe += piece;
    }
  });
  while (safe.ends_with(' ')) {
    safe.pop_back();
  }
  return safe;
}

std::string printable_lines(std::string_view bytes) {
  std::string lines;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    lines += printable(bytes.substr(0, end)) + '\n';
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return lines;
}

std::string fit(std::string_view text, int columns, bool unicode) {
  if (printed_width(text) <= columns) {
    return std::string{text};
  }
  const std::string_view mark = unicode ? "…" : "...";
  const int room = columns - printed_width(mark);
  if (room < 0) {
    return std::string(static_cast<std::size_t>(std::max(columns, 0)), '.');
  }
  std::string cut;
  int used = 0;
  bool full = false;
  bool coloured = false;
  for_each_piece(text, [&](std::string_view piece, int width) {
    coloured = coloured || piece.front() == '\x1b';
    full = full || used + width > room;
    if (!full) {
      used += width;
      cut += piece;
    }
  });
  cut += mark;
  return coloured ? cut + "\x1b[0m" : cut;
}

std::string pad_right(std::string_view text, int columns) {
  const int missing = std::max(columns - printed_width(text), 0);
  return std::string{text} + std::string(static_cast<std::size_t>(missing), ' ');
}

std::string pad_left(std::string_view text, int columns) {
  const int missing = std::max(columns - printed_width(text), 0);
  return std::string(static_cast<std::size_t>(missing), ' ') + std::string{text};
}

std::vector<std::string> wrap(std::string_view text, int columns) {
  std::vector<std::string> lines{{}};
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      lines.emplace_back();
      ++at;
      continue;
    }
    if (text[at] == ' ' && !lines.back().empty()) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", at + 1), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!lines.back().empty() && printed_width(lines.back()) + 1 + printed_width(word) > columns) {
      lines.emplace_back();
    }
    lines.back() += (lines.back().empty() ? "" : " ") + std::string{word};
    at = end;
  }
  return lines;
}

std::string counted(std::int64_t number, std::string_view singular, std::string_view plural) {
  return std::to_string(number) + ' ' + std::string{number == 1 ? singular : plural};
}

std::string usd_text(std::int64_t microusd) {
  constexpr std::int64_t microusd_per_usd = 1'000'000;
  constexpr std::size_t places_min = 2;
  auto part = std::to_string(microusd_per_usd + microusd % microusd_per_usd).substr(1);
  while (part.size() > places_min && part.back() == '0') {
    part.pop_back();
  }
  return std::to_string(microusd / microusd_per_usd) + '.' + part + " USD";
}

std::string cost_text(std::int64_t microusd, std::int64_t unpriced) {
  if (unpriced == 0) {
    return usd_text(microusd);
  }
  return microusd == 0 ? "unknown" : usd_text(microusd) + " + unknown";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace troupe
