// JSON as opaque text, for words and rows that only carry it. Who looks inside parses it (actors/json, runtime).
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// One JSON document in canonical form: keys sorted by code point, no white space, shortest round-trip numbers, only
/// the escapes that RFC 8259 demands. Equal values have equal texts, so equality of texts is equality of values.
///
/// A text never changes, and copies share it: megabytes pass through messages, closures and plans as one. Any thread.
class json_text {
 public:
  json_text() = default;  ///< `null`
  /// The caller vouches for canonical form (actors/json makes it; config/ writes it).
  explicit json_text(std::string canonical) : text_(std::make_shared<const std::string>(std::move(canonical))) {}

  /// Lives as long as this text or a copy of it.
  const std::string& str() const noexcept { return text_ ? *text_ : null_text(); }

  friend bool operator==(const json_text& a, const json_text& b) noexcept {
    return a.text_ == b.text_ || a.str() == b.str();
  }
  friend std::ostream& operator<<(std::ostream& out, const json_text& json) { return out << json.str(); }

 private:
  static const std::string& null_text() noexcept;

  std::shared_ptr<const std::string> text_;
};

/// Appends `text` quoted. Invalid UTF-8 is replaced by U+FFFD: this is the JSON border, where bytes become text.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// Shortest digits that read back as `number`, in the form of ECMAScript: 0.1, 1e+21, 100000. A whole double prints
/// without a point, so that 1.0 and 1 are one value. NaN and infinities do not exist in JSON: they print as null.
void append_json_number(std::string& out, double number);

/// `bytes` with every ill-formed UTF-8 sequence replaced by U+FFFD (maximal subparts, Unicode 15, 3.9).
std::string repair_utf8(std::string_view bytes);

}  // namespace troupe
