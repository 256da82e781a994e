#include "actors/run/conditions.hpp"

#include "actors/json/json.hpp"

#include <algorithm>
#include <compare>

namespace troupe {
namespace {

namespace json = boost::json;

std::partial_ordering ordered(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) {
    if (left.is_double() || right.is_double()) {
      return left.to_number<double>() <=> right.to_number<double>();
    }
    if (left.is_int64() && right.is_int64()) {
      return left.get_int64() <=> right.get_int64();
    }
    if (left.is_uint64() && right.is_uint64()) {
      return left.get_uint64() <=> right.get_uint64();
    }
    return left.is_uint64() ? std::partial_ordering::greater : std::partial_ordering::less;  // beyond every int64
  }
  if (left.is_string() && right.is_string()) {
    return left.get_string().compare(right.get_string()) <=> 0;  // bytes of UTF-8 are in the order of code points
  }
  return std::partial_ordering::unordered;
}

// Numbers by their amount, at every depth: 1 and 1.0 are one value in canonical form.
bool equal(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) {
    return ordered(left, right) == std::partial_ordering::equivalent;
  }
  return left.kind() == right.kind() && canonical(left) == canonical(right);
}

bool compares(const condition& when, const json::value* found) {
  if (when.compares == comparison::exists) {
    return (found != nullptr) == parse(when.value).as_bool();
  }
  if (found == nullptr) {
    return when.compares == comparison::ne;
  }
  const auto operand = parse(when.value);
  switch (when.compares) {
    case comparison::eq:
      return equal(*found, operand);
    case comparison::ne:
      return !equal(*found, operand);
    case comparison::gt:
      return ordered(*found, operand) == std::partial_ordering::greater;
    case comparison::ge:
      return ordered(*found, operand) >= 0;
    case comparison::lt:
      return ordered(*found, operand) == std::partial_ordering::less;
    case comparison::le:
      return ordered(*found, operand) <= 0;
    case comparison::in:
      return std::ranges::any_of(operand.as_array(), [&](const json::value& each) { return equal(*found, each); });
    case comparison::exists:
      break;
  }
  return false;
}

}  // namespace

bool holds(const condition& when, const opened_fields& state) {
  const auto part_holds = [&](const condition& part) { return holds(part, state); };
  switch (when.is) {
    case condition::kind::compare:
      return compares(when, state.find(when.pointer));
    case condition::kind::all:
      return std::ranges::all_of(when.parts, part_holds);
    case condition::kind::any:
      return std::ranges::any_of(when.parts, part_holds);
    case condition::kind::negate:
      return !holds(when.parts.front(), state);
  }
  return false;
}

}  // namespace troupe
