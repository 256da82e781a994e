#include "storage/legacy_time.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace troupe {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t second_us = 1'000'000;
constexpr timestamp earliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
constexpr timestamp latest = std::chrono::sys_days{std::chrono::year{2100} / 1 / 1};

std::optional<timestamp> believed(timestamp at) {
  return at >= earliest && at < latest ? std::optional{at} : std::nullopt;
}

constexpr std::int64_t seconds_min = earliest.time_since_epoch().count() / second_us;
constexpr std::int64_t seconds_max = latest.time_since_epoch().count() / second_us;

std::optional<timestamp> from_number(std::int64_t number) {
  if (number >= seconds_min && number < seconds_max) {
    return timestamp{microseconds{number * second_us}};
  }
  if (number >= seconds_min * 1'000 && number < seconds_max * 1'000) {
    return timestamp{microseconds{number * 1'000}};
  }
  return std::nullopt;
}

std::optional<timestamp> from_number(double number) {
  if (!(number >= 0 && number < static_cast<double>(seconds_max) * 1'000)) {
    return std::nullopt;
  }
  const auto whole = static_cast<std::int64_t>(number);
  const auto at = from_number(whole);
  if (!at) {
    return std::nullopt;
  }
  const double unit_us = whole < seconds_max ? 1e6 : 1e3;
  return *at + microseconds{std::llround((number - static_cast<double>(whole)) * unit_us)};
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// What is left of a text that is read from its front.
class cursor {
 public:
  explicit cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool take(char letter) {
    const bool there = !rest_.empty() && rest_.front() == letter;
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }

  bool take_one_of(std::string_view letters) {
    const bool there = !rest_.empty() && letters.find(rest_.front()) != std::string_view::npos;
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }

  bool take(std::string_view word) {
    const bool there = rest_.starts_with(word);
    rest_.remove_prefix(there ? word.size() : 0);
    return there;
  }

  // Exactly `count` digits, up to `most`.
  std::optional<int> number(std::size_t count, int most) {
    int value = 0;
    if (rest_.size() < count) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) {
        return std::nullopt;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value <= most ? std::optional{value} : std::nullopt;
  }

  // Digits of a fraction in millionths; what is finer is cut off.
  std::optional<std::int64_t> millionths() {
    std::int64_t value = 0;
    std::int64_t unit = second_us / 10;
    std::size_t count = 0;
    for (; count < rest_.size() && is_digit(rest_[count]); ++count) {
      value += (rest_[count] - '0') * unit;
      unit /= 10;
    }
    rest_.remove_prefix(count);
    return count > 0 ? std::optional{value} : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> take_date(cursor& text) {
  const auto year = text.number(4, 9'999);
  const bool first = text.take('-');
  const auto month = text.number(2, 12);
  const bool second = text.take('-');
  const auto day = text.number(2, 31);
  if (!year || !first || !month || !second || !day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{std::chrono::sys_days{date}} : std::nullopt;
}

std::optional<microseconds> take_time_of_day(cursor& text) {
  const auto hour = text.number(2, 23);
  const bool colon = text.take(':');
  const auto minute = text.number(2, 59);
  if (!hour || !colon || !minute) {
    return std::nullopt;
  }
  microseconds time = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (text.take(':')) {
    const auto second = text.number(2, 59);
    if (!second) {
      return std::nullopt;
    }
    time += std::chrono::seconds{*second};
    if (text.take_one_of(".,")) {
      const auto fraction = text.millionths();
      if (!fraction) {
        return std::nullopt;
      }
      time += microseconds{*fraction};
    }
  }
  return time;
}

// To be taken from the local time: nothing, Z, UTC, +02, +0200, +02:00.
std::optional<microseconds> take_offset(cursor& text) {
  if (text.at_end()) {
    return microseconds{0};
  }
  static_cast<void>(text.take(' '));
  if (text.take_one_of("Zz") || text.take(std::string_view{"UTC"})) {
    return microseconds{0};
  }
  const bool minus = text.take('-');
  if (!minus && !text.take('+')) {
    return std::nullopt;
  }
  const auto hours = text.number(2, 23);
  if (!hours) {
    return std::nullopt;
  }
  int minutes = 0;
  if (!text.at_end()) {
    static_cast<void>(text.take(':'));
    const auto given = text.number(2, 59);
    if (!given) {
      return std::nullopt;
    }
    minutes = *given;
  }
  const microseconds offset = std::chrono::hours{*hours} + std::chrono::minutes{minutes};
  return minus ? -offset : offset;
}

std::optional<timestamp> from_date(std::string_view text) {
  cursor rest{text};
  const auto date = take_date(rest);
  const bool between = rest.take_one_of("Tt ");
  if (!date || !between) {
    return std::nullopt;
  }
  const auto time = take_time_of_day(rest);
  if (!time) {
    return std::nullopt;
  }
  const auto offset = take_offset(rest);
  if (!offset || !rest.at_end()) {
    return std::nullopt;
  }
  return believed(timestamp{*date} + *time - *offset);
}

std::optional<timestamp> from_text(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  const auto number = std::from_chars(text.data(), end, whole);
  if (number.ec == std::errc{} && number.ptr == end) {
    return from_number(whole);
  }
  double real = 0;
  const auto fraction = std::from_chars(text.data(), end, real, std::chars_format::fixed);
  if (fraction.ec == std::errc{} && fraction.ptr == end) {
    return from_number(real);
  }
  return from_date(text);
}

struct read_time {
  std::optional<timestamp> operator()(std::int64_t number) const { return from_number(number); }
  std::optional<timestamp> operator()(double number) const { return from_number(number); }
  std::optional<timestamp> operator()(const std::string& text) const { return from_text(text); }
  std::optional<timestamp> operator()(const legacy_blob& blob) const { return from_text(blob.bytes); }
};

}  // namespace

std::optional<timestamp> parse_legacy_time(const legacy_value& value) { return std::visit(read_time{}, value); }

}  // namespace troupe
