#include "actors/agent/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 12> month_names{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = text.find_first_not_of(" ,-:");
    if (begin == std::string_view::npos) {
      return words;
    }
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(" ,-:"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<int> number_up_to(int most, std::string_view word) {
  int number = 0;
  const auto* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, number);
  const bool is_one = read.ec == std::errc{} && read.ptr == end && number >= 0 && number <= most;
  return is_one ? std::optional{number} : std::nullopt;
}

std::optional<timestamp> moment(std::string_view day,
                                std::string_view month,
                                std::string_view year,
                                const std::string_view* clock) {
  const auto* const named = std::ranges::find(month_names, month);
  const auto in_month = number_up_to(31, day);
  auto in_years = number_up_to(9999, year);
  const auto hour = number_up_to(23, clock[0]);
  const auto minute = number_up_to(59, clock[1]);
  const auto second = number_up_to(60, clock[2]);  // a leap second
  if (named == month_names.end() || !in_month || !in_years || !hour || !minute || !second) {
    return std::nullopt;
  }
  if (year.size() == 2) {
    *in_years += *in_years < 70 ? 2'000 : 1'900;
  }
  const std::chrono::year_month_day date{std::chrono::year{*in_years},
                                         std::chrono::month{static_cast<unsigned>(named - month_names.begin()) + 1},
                                         std::chrono::day{static_cast<unsigned>(*in_month)}};
  if (!date.ok()) {
    return std::nullopt;
  }
  return timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

}  // namespace

std::optional<timestamp> parse_http_date(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() == 8 && words[7] == "GMT") {
    return moment(words[1], words[2], words[3], &words[4]);
  }
  if (words.size() == 7) {
    return moment(words[2], words[1], words[6], &words[3]);
  }
  return std::nullopt;
}

}  // namespace troupe
