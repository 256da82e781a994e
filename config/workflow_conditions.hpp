// Conditions for a workflow that is written in C++:
//
//   flow.step("judge").next("done", state_at("/judge/score").ge(json_text{"8"})).next("write");
#pragma once

#include "messages/workflow.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A place in the state, to be compared. Numbers are compared by their amount; gt, ge, lt and le compare two numbers or
/// two texts, and do not hold of anything else. Where nothing stands at the place, only ne and is_absent hold.
class compared_place {
 public:
  explicit compared_place(std::string pointer) : pointer_(std::move(pointer)) {}

  condition eq(json_text value) const { return made(comparison::eq, std::move(value)); }
  condition ne(json_text value) const { return made(comparison::ne, std::move(value)); }
  condition gt(json_text value) const { return made(comparison::gt, std::move(value)); }
  condition ge(json_text value) const { return made(comparison::ge, std::move(value)); }
  condition lt(json_text value) const { return made(comparison::lt, std::move(value)); }
  condition le(json_text value) const { return made(comparison::le, std::move(value)); }
  condition in(json_text list) const { return made(comparison::in, std::move(list)); }
  condition exists() const { return made(comparison::exists, json_text{"true"}); }
  condition is_absent() const { return made(comparison::exists, json_text{"false"}); }

 private:
  condition made(comparison by, json_text value) const {
    condition out;
    out.pointer = pointer_;
    out.compares = by;
    out.value = std::move(value);
    return out;
  }

  std::string pointer_;
};

/// `pointer` is RFC 6901, into the state.
inline compared_place state_at(std::string pointer) { return compared_place{std::move(pointer)}; }

inline condition all_hold(std::vector<condition> parts) {
  condition out;
  out.is = condition::kind::all;
  out.parts = std::move(parts);
  return out;
}

inline condition any_holds(std::vector<condition> parts) {
  condition out;
  out.is = condition::kind::any;
  out.parts = std::move(parts);
  return out;
}

inline condition does_not_hold(condition part) {
  condition out;
  out.is = condition::kind::negate;
  out.parts.push_back(std::move(part));
  return out;
}

}  // namespace troupe
