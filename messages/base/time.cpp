#include "messages/base/time.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t longest_ms = std::int64_t{100} * 366 * 86'400'000;

}  // namespace

std::string to_rfc3339(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 48> text{};
  const int length = std::snprintf(text.data(),
                                   text.size(),
                                   "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                                   static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()),
                                   static_cast<int>(time.hours().count()),
                                   static_cast<int>(time.minutes().count()),
                                   static_cast<int>(time.seconds().count()),
                                   static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, count);
  if (failure != std::errc{} || text.front() == '-') {
    return std::nullopt;
  }
  const std::string_view unit{stop, static_cast<std::size_t>(end - stop)};
  for (const auto& [name, factor] : units) {
    if (unit == name) {
      return count <= longest_ms / factor ? std::optional{milliseconds{count * factor}} : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<time_of_day> parse_time_of_day(std::string_view text) {
  const auto two_digits = [&](std::size_t at) {
    const int tens = text[at] - '0';
    const int ones = text[at + 1] - '0';
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
  };
  if (text.size() != 5 || text[2] != ':') {
    return std::nullopt;
  }
  const int hours = two_digits(0);
  const int minutes = two_digits(3);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  return time_of_day{std::chrono::hours{hours} + std::chrono::minutes{minutes}};
}

std::string to_text(time_of_day at) {
  std::array<char, 16> text{};
  const auto minutes = static_cast<int>(at.after_midnight.count());
  const int length = std::snprintf(text.data(), text.size(), "%02d:%02d", minutes / 60, minutes % 60);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string to_text(milliseconds length) {
  for (const auto& [name, factor] : units) {
    if (length.count() != 0 && length.count() % factor == 0) {
      return std::to_string(length.count() / factor) + std::string{name};
    }
  }
  return "0ms";
}

}  // namespace troupe
