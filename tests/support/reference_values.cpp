#include "tests/support/reference_values.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <sstream>

namespace troupe {

namespace json = boost::json;

std::string words_of(const json::value& value) {
  std::string all;
  if (const auto* object = value.if_object()) {
    std::map<std::string, std::string> members;
    for (const auto& [name, member] : *object) {
      members[std::string{name}] = words_of(member);
    }
    for (const auto& [name, words] : members) {
      all += (all.empty() ? "" : ",") + json::serialize(json::value(name)) + ':' + words;
    }
    return '{' + all + '}';
  }
  if (const auto* list = value.if_array()) {
    for (const auto& element : *list) {
      all += (all.empty() ? "" : ",") + words_of(element);
    }
    return '[' + all + ']';
  }
  constexpr double exact = 9'007'199'254'740'992;  // 2^53
  if (const auto* number = value.if_double();
      number != nullptr && std::trunc(*number) == *number && std::abs(*number) < exact) {
    return std::to_string(static_cast<std::int64_t>(*number));
  }
  return json::serialize(value);
}

namespace reference {

const json::value* look(const json::value& whole, const std::string& pointer) {
  const auto* at = &whole;
  for (std::size_t start = 0; start < pointer.size();) {
    const auto end = std::min(pointer.find('/', start + 1), pointer.size());
    const auto key = pointer.substr(start + 1, end - start - 1);
    if (const auto* object = at->if_object()) {
      at = object->if_contains(key);
    } else if (const auto* list = at->if_array(); list != nullptr && !key.empty() && key[0] >= '0' && key[0] <= '9') {
      at = list->if_contains(std::stoul(key));
    } else {
      return nullptr;
    }
    if (at == nullptr) {
      return nullptr;
    }
    start = end;
  }
  return at;
}

int order_of(const json::value& a, const json::value& b) {
  const auto sign = [](auto left, auto right) { return left < right ? -1 : left == right ? 0 : 1; };
  if (a.is_number() && b.is_number()) {
    return sign(a.to_number<double>(), b.to_number<double>());
  }
  if (a.is_string() && b.is_string()) {
    return sign(std::string{a.as_string()}, std::string{b.as_string()});
  }
  return 2;
}

bool same(const json::value& a, const json::value& b) { return words_of(a) == words_of(b); }

json::value folded(const json::value& value) {
  if (const auto* text = value.if_string()) {
    std::istringstream in{std::string{*text}};
    std::string all;
    for (std::string word; in >> word;) {
      all += (all.empty() ? "" : " ") + word;
    }
    for (auto& letter : all) {
      letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
    }
    return json::value(all);
  }
  if (const auto* list = value.if_array()) {
    json::array all;
    for (const auto& each : *list) {
      all.push_back(folded(each));
    }
    return all;
  }
  if (const auto* object = value.if_object()) {
    json::object all;
    for (const auto& [name, member] : *object) {
      all[name] = folded(member);
    }
    return all;
  }
  return value;
}

json::value patched(json::value target, const json::value& patch) {
  if (!patch.is_object()) {
    return patch;
  }
  if (!target.is_object()) {
    target = json::object{};
  }
  for (const auto& [name, value] : patch.as_object()) {
    if (value.is_null()) {
      target.as_object().erase(name);
    } else {
      const auto* old = target.as_object().if_contains(name);
      target.as_object()[name] = patched(old != nullptr ? *old : json::value{}, value);
    }
  }
  return target;
}

bool is_true(const condition& when, const json::value& state) {
  const auto part = [&](const condition& each) { return is_true(each, state); };
  if (when.is == condition::kind::all) {
    return std::ranges::all_of(when.parts, part);
  }
  if (when.is == condition::kind::any) {
    return std::ranges::any_of(when.parts, part);
  }
  if (when.is == condition::kind::negate) {
    return !is_true(when.parts.at(0), state);
  }
  const auto* found = look(state, when.pointer);
  const auto wanted = json::parse(when.value.str());
  if (when.compares == comparison::exists) {
    return (found != nullptr) == wanted.as_bool();
  }
  if (when.compares == comparison::ne) {
    return found == nullptr || !same(*found, wanted);
  }
  if (found == nullptr) {
    return false;
  }
  if (when.compares == comparison::eq) {
    return same(*found, wanted);
  }
  if (when.compares == comparison::in) {
    return std::ranges::any_of(wanted.as_array(), [&](const json::value& each) { return same(*found, each); });
  }
  const int order = order_of(*found, wanted);
  return (when.compares == comparison::gt && order == 1) ||
         (when.compares == comparison::ge && (order == 0 || order == 1)) ||
         (when.compares == comparison::lt && order == -1) ||
         (when.compares == comparison::le && (order == 0 || order == -1));
}

std::pair<json::value, std::string> reduced(json::value state,
                                            const std::string& name,
                                            const json::value& given,
                                            reducer how) {
  auto& field = state.as_object()[name];
  const bool is_new = field.is_null();
  const auto refused = [&] { return std::pair{json::value{}, std::string{"INVALID_INPUT"}}; };
  switch (how) {
    case reducer::fail:
    case reducer::last:
      field = given;
      break;
    case reducer::append:
    case reducer::set_union: {
      if (!is_new && !field.is_array()) {
        return refused();
      }
      auto list = is_new ? json::array{} : field.as_array();
      if (how == reducer::append || !given.is_array()) {
        if (how == reducer::append ||
            std::ranges::none_of(list, [&](const json::value& each) { return same(each, given); })) {
          list.push_back(given);
        }
      } else {
        for (const auto& element : given.as_array()) {
          if (std::ranges::none_of(list, [&](const json::value& each) { return same(each, element); })) {
            list.push_back(element);
          }
        }
      }
      field = std::move(list);
      break;
    }
    case reducer::sum:
    case reducer::min:
    case reducer::max:
      if (!given.is_int64() || (!is_new && !field.is_int64())) {  // tests count in whole numbers
        return refused();
      }
      field = is_new                ? given.as_int64()
              : how == reducer::sum ? field.as_int64() + given.as_int64()
              : how == reducer::min ? std::min(field.as_int64(), given.as_int64())
                                    : std::max(field.as_int64(), given.as_int64());
      break;
    case reducer::merge:
      if (!given.is_object() || (!is_new && !field.is_object())) {
        return refused();
      }
      field = patched(is_new ? json::value{json::object{}} : field, given);
      break;
  }
  return {std::move(state), ""};
}

}  // namespace reference

}  // namespace troupe
