#include "messages/base/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace troupe {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

// Length of the well-formed sequence at the front of `bytes`; 0 if ill-formed, and then `skip` is how many bytes one
// U+FFFD stands for (Unicode 15, table 3-7 and "maximal subparts").
std::size_t sequence_length(std::string_view bytes, std::size_t& skip) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  skip = 1;
  if (lead < 0x80U) {
    return 1;
  }
  std::size_t length = 0;
  unsigned char low = 0x80U;
  unsigned char high = 0xBFU;
  if (lead >= 0xC2U && lead <= 0xDFU) {
    length = 2;
  } else if (lead >= 0xE0U && lead <= 0xEFU) {
    length = 3;
    low = lead == 0xE0U ? 0xA0U : low;
    high = lead == 0xEDU ? 0x9FU : high;
  } else if (lead >= 0xF0U && lead <= 0xF4U) {
    length = 4;
    low = lead == 0xF0U ? 0x90U : low;
    high = lead == 0xF4U ? 0x8FU : high;
  } else {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    const bool fits = i < bytes.size() && (i == 1 ? at(1) >= low && at(1) <= high : is_continuation(at(i)));
    if (!fits) {
      skip = i;
      return 0;
    }
  }
  return length;
}

void append_escaped(std::string& out, char plain) {
  switch (plain) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(plain);
  if (code >= 0x20U) {
    out += plain;
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[code >> 4U];
  out += digits[code & 15U];
}

template <class Append>
void walk_utf8(std::string_view bytes, Append append) {
  while (!bytes.empty()) {
    std::size_t skip = 0;
    const std::size_t length = sequence_length(bytes, skip);
    if (length == 0) {
      append(replacement);
      bytes.remove_prefix(skip);
    } else {
      append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
  }
}

// The digits with their point after the first `point` of them: ECMA-262, 6.1.6.1.20, Number::toString.
void append_digits(std::string& out, std::string_view digits, int point) {
  const int count = static_cast<int>(digits.size());
  if (point > 21 || point < -5) {
    out += digits.front();
    if (count > 1) {
      out += '.';
      out += digits.substr(1);
    }
    out += point > 0 ? "e+" : "e-";
    out += std::to_string(point > 0 ? point - 1 : 1 - point);
  } else if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else if (point >= count) {
    out += digits;
    out.append(static_cast<std::size_t>(point - count), '0');
  } else {
    out += digits.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(point));
  }
}

}  // namespace

const std::string& json_text::null_text() noexcept {
  static const std::string text = "null";
  return text;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  walk_utf8(text, [&](std::string_view sequence) {
    if (sequence.size() == 1) {
      append_escaped(out, sequence.front());
    } else {
      out += sequence;
    }
  });
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == 0) {
    out += '0';  // ECMAScript: also for -0
    return;
  }
  std::array<char, 32> printed{};  // "-d.dddddddddddddddde+ddd"
  const auto end =
      std::to_chars(printed.data(), printed.data() + printed.size(), number, std::chars_format::scientific);
  std::string_view text{printed.data(), static_cast<std::size_t>(end.ptr - printed.data())};
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const auto mark = text.find('e');
  int exponent = 0;
  const auto* const sign = text.data() + mark + 1;
  std::from_chars(*sign == '+' ? sign + 1 : sign, text.data() + text.size(), exponent);
  std::string digits{text.substr(0, 1)};
  if (mark > 2) {
    digits += text.substr(2, mark - 2);
  }
  append_digits(out, digits, exponent + 1);
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  walk_utf8(bytes, [&](std::string_view sequence) { out += sequence; });
  return out;
}

}  // namespace troupe
