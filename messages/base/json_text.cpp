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

}  // namespace

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
  const double size = std::fabs(number);
  const bool plain = size >= 1e-6 && size < 1e21;  // ECMAScript's Number::toString, ECMA-262 6.1.6.1.20
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(),
                                 digits.data() + digits.size(),
                                 number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string_view text{digits.data(), static_cast<std::size_t>(end.ptr - digits.data())};
  const auto exponent = text.find('e');
  if (exponent == std::string_view::npos) {
    out += text;
    return;
  }
  out += text.substr(0, exponent + 2);  // "1e-07" prints as 1e-7
  auto power = text.substr(exponent + 2);
  while (power.size() > 1 && power.front() == '0') {
    power.remove_prefix(1);
  }
  out += power;
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  walk_utf8(bytes, [&](std::string_view sequence) { out += sequence; });
  return out;
}

}  // namespace troupe
