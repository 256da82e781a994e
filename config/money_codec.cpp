// Amounts of money in settings: digits, never a product of fractions.
#include "config/setting_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {
namespace {

constexpr std::int64_t microusd_per_usd = 1'000'000;
constexpr std::size_t decimal_places = 6;

// The shortest decimal number that is this one: what the file says, where that has no more than 15 digits, as every
// amount in the range of a setting has.
std::string digits_of(double number) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

std::optional<std::int64_t> microusd_of(std::string_view digits) {
  const auto point = std::min(digits.find('.'), digits.size());
  auto fraction = std::string{digits.substr(std::min(point + 1, digits.size()))};
  if (fraction.size() > decimal_places) {
    return std::nullopt;
  }
  fraction.resize(decimal_places, '0');
  std::int64_t whole = 0;
  std::int64_t part = 0;
  std::from_chars(digits.data(), digits.data() + point, whole);
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), part);
  return whole * microusd_per_usd + part;
}

}  // namespace

bool read_setting(money& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto number = read_number(value, facts.numbers.min, facts.numbers.max);
  if (!number) {
    return false;
  }
  const auto amount = microusd_of(digits_of(*number));
  if (!amount) {
    value.refuse("has more than six decimal places: an amount is exact to a millionth of a USD", "round it");
    return false;
  }
  into.microusd = *amount;
  return true;
}

// The division is rounded to the number that the digits stand for, so that reading it back gives the same amount.
toml_node write_setting(money value) {
  return toml_node{static_cast<double>(value.microusd) / static_cast<double>(microusd_per_usd)};
}

}  // namespace troupe
