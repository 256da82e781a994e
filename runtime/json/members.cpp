#include "runtime/json/members.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>

#include <charconv>
#include <chrono>
#include <utility>

namespace troupe {
namespace {

/// The number that stands in exactly these characters.
std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  const auto* const first = text.data() + from;
  const auto [stop, failed] = std::from_chars(first, first + count, value);
  return failed == std::errc{} && stop == first + count && *first != '-' ? std::optional{value} : std::nullopt;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
  if (text.size() != form.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0' && text[i] != form[i]) {
      return std::nullopt;
    }
  }
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  const auto micro = digits(text, 20, 6);
  if (!year || !month || !day || !hour || !minute || !second || !micro) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) {
    return std::nullopt;
  }
  return timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second} + std::chrono::microseconds{*micro};
}

}  // namespace

std::string text_in(const boost::json::object& from, std::string_view name) {
  const auto* const found = from.if_contains(name);
  return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
}

std::int64_t number_in(const boost::json::object& from, std::string_view name) {
  const auto* const found = from.if_contains(name);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

bool truth_in(const boost::json::object& from, std::string_view name) {
  const auto* const found = from.if_contains(name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<timestamp> time_in(const boost::json::object& from, std::string_view name) {
  return parse_rfc3339(text_in(from, name));
}

const boost::json::object* object_in(const boost::json::object& from, std::string_view name) {
  const auto* const found = from.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

result<boost::json::object> object_of(std::string_view json, std::string_view needed) {
  auto value = parse(json);
  if (!value || !value->is_object() || !value->get_object().contains(needed)) {
    return error{error_code::internal, "the running process answers in words that are not known here", ""};
  }
  return std::move(value->get_object());
}

}  // namespace troupe
