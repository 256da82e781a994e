#include "actors/run/merge.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace troupe {
namespace {

namespace json = boost::json;

constexpr std::size_t shown_bytes_max = 120;

std::string shown(const json::value& value) {
  auto text = canonical(value).str();
  if (text.size() > shown_bytes_max) {
    text = repair_utf8(text.substr(0, shown_bytes_max)) + "...";
  }
  return text;
}

error unsuitable(const task_delta& delta, const json::value& value, std::string_view wanted) {
  return {error_code::invalid_input,
          "step '" + delta.step.str() + "' gives field '" + delta.field.str() + "' the value " + shown(value) +
              ", but its reducer wants " + std::string{wanted},
          "give a fitting value, or declare another reducer under [state." + delta.field.str() + "]"};
}

error unsuitable_field(const task_delta& delta, const json::value& before, std::string_view wanted) {
  return {error_code::invalid_input,
          "field '" + delta.field.str() + "', to which step '" + delta.step.str() + "' adds, holds " + shown(before) +
              ", but its reducer wants " + std::string{wanted},
          "give it a fitting initial value, or declare another reducer under [state." + delta.field.str() + "]"};
}

__extension__ using wide_integer = __int128;  // holds every integer of JSON text as boost keeps it, and a sum of two

std::optional<wide_integer> exact(const json::value& value) {
  if (const auto* number = value.if_int64()) {
    return *number;
  }
  if (const auto* number = value.if_uint64()) {
    return *number;
  }
  return std::nullopt;
}

// A sum of integers is exact, or refused; with a double in it, it is a double, or refused.
result<json::value> sum(const json::value& before, const json::value& value, const task_delta& delta) {
  const auto a = exact(before);
  const auto b = exact(value);
  if (!a || !b) {
    const double total = before.to_number<double>() + value.to_number<double>();
    if (!std::isfinite(total)) {
      return unsuitable(delta, value, "a sum that a double holds");
    }
    return json::value(total);
  }
  const auto total = *a + *b;
  if (total >= std::numeric_limits<std::int64_t>::min() && total <= std::numeric_limits<std::int64_t>::max()) {
    return json::value(static_cast<std::int64_t>(total));
  }
  if (total > 0 && total <= std::numeric_limits<std::uint64_t>::max()) {
    return json::value(static_cast<std::uint64_t>(total));
  }
  return unsuitable(delta, value, "a sum that 64 bits hold");
}

bool less(const json::value& a, const json::value& b) {
  const auto exact_a = exact(a);
  const auto exact_b = exact(b);
  return exact_a && exact_b ? *exact_a < *exact_b : a.to_number<double>() < b.to_number<double>();
}

// RFC 7396, section 2.
void merge_patch(json::value& target, const json::value& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) {
    target = json::object{};
  }
  auto& object = target.get_object();
  for (const auto& change : *changes) {
    if (change.value().is_null()) {
      object.erase(change.key());
    } else {
      merge_patch(object[change.key()], change.value());
    }
  }
}

// The fields that deltas touch. What stays a text is never parsed: most values replace what was there, and may be large.
class field_reduction {
 public:
  explicit field_reduction(const json_fields& state) : state_(state) {}

  std::optional<error> edit(const task_delta& delta) {
    const auto patch = parse(delta.value);
    const auto* changes = patch.if_object();
    if (changes == nullptr) {
      return unsuitable(delta, patch, "an object");
    }
    for (const auto& change : *changes) {
      const std::string name{change.key()};
      if (change.value().is_null()) {
        touched_[name] = std::monostate{};
      } else {
        merge_patch(open_or_make(name), change.value());
      }
    }
    members_.clear();
    return std::nullopt;
  }

  std::optional<error> apply(reducer how, const task_delta& delta) {
    switch (how) {
      case reducer::fail:
        return write_once(delta);
      case reducer::last:
        touched_[delta.field.str()] = delta.value;
        return std::nullopt;
      case reducer::append:
      case reducer::set_union:
        return into_list(how, delta);
      case reducer::sum:
      case reducer::min:
      case reducer::max:
        return number(how, delta);
      case reducer::merge:
        return patch(delta);
    }
    return std::nullopt;
  }

  json_fields state() {
    json_fields::changes changes;
    for (auto& [name, field] : touched_) {
      if (const auto* value = std::get_if<json::value>(&field)) {
        field = canonical(*value);
      }
      const auto* text = std::get_if<json_text>(&field);
      changes.emplace(name, text == nullptr ? std::nullopt : std::optional<std::string_view>{text->str()});
    }
    return state_.with(changes);
  }

 private:
  // As it stands after the deltas so far: absent, as it was given, or parsed.
  using field_value = std::variant<std::monostate, json_text, json::value>;

  // Null: there is no such field.
  json::value* open(const std::string& name) {
    const auto [found, is_new] = touched_.try_emplace(name);
    auto& field = found->second;
    const auto before = is_new ? state_.find(name) : std::nullopt;
    if (before) {
      field = parse_canonical(*before);
    } else if (const auto* given = std::get_if<json_text>(&field)) {
      field = parse(json_text{*given});
    }
    return std::get_if<json::value>(&field);
  }

  json::value& open_or_make(const std::string& name) {
    auto* value = open(name);
    return value != nullptr ? *value : touched_[name].emplace<json::value>();
  }

  std::optional<error> write_once(const task_delta& delta) {
    const auto [first, is_new] = writers_.try_emplace(delta.field, &delta);
    const auto& writer = *first->second;
    if (!is_new && (writer.step != delta.step || writer.agent != delta.agent || writer.item != delta.item)) {
      return error{error_code::merge_conflict,
                   "field '" + delta.field.str() + "' is written by step '" + writer.step.str() + "' (" +
                       shown(parse(writer.value)) + ") and by step '" + delta.step.str() + "' (" +
                       shown(parse(delta.value)) + ") in one superstep; neither was committed",
                   "declare a reducer for it: [state." + delta.field.str() + "] reduce = \"append\", for example"};
    }
    touched_[delta.field.str()] = delta.value;
    return std::nullopt;
  }

  std::optional<error> into_list(reducer how, const task_delta& delta) {
    auto* before = open(delta.field.str());
    if (before != nullptr && !before->is_array()) {
      return unsuitable_field(delta, *before, "a list to add to");
    }
    auto& list = before != nullptr ? before->get_array() : open_or_make(delta.field.str()).emplace_array();
    auto value = parse(delta.value);
    if (how == reducer::append) {
      list.push_back(std::move(value));
    } else if (auto* several = value.if_array()) {
      for (auto& element : *several) {
        add_to_union(delta.field, list, std::move(element));
      }
    } else {
      add_to_union(delta.field, list, std::move(value));
    }
    return std::nullopt;
  }

  void add_to_union(const field_name& field, json::array& all, json::value value) {
    const auto [known, is_first] = members_.try_emplace(field);
    if (is_first) {
      for (const auto& member : all) {
        known->second.insert(canonical(member).str());
      }
    }
    if (known->second.insert(canonical(value).str()).second) {
      all.push_back(std::move(value));
    }
  }

  std::optional<error> number(reducer how, const task_delta& delta) {
    const auto value = parse(delta.value);
    if (!value.is_number()) {
      return unsuitable(delta, value, "a number");
    }
    auto* before = open(delta.field.str());
    if (before == nullptr) {
      touched_[delta.field.str()] = value;
      return std::nullopt;
    }
    if (!before->is_number()) {
      return unsuitable_field(delta, *before, "a number to count from");
    }
    if (how == reducer::sum) {
      auto total = sum(*before, value, delta);
      if (!total) {
        return total.error();
      }
      *before = *std::move(total);
    } else if (how == reducer::min ? less(value, *before) : less(*before, value)) {
      *before = value;
    }
    return std::nullopt;
  }

  std::optional<error> patch(const task_delta& delta) {
    const auto value = parse(delta.value);
    if (!value.is_object()) {
      return unsuitable(delta, value, "an object");
    }
    const auto* before = open(delta.field.str());
    if (before != nullptr && !before->is_object()) {
      return unsuitable_field(delta, *before, "an object to merge into");
    }
    merge_patch(open_or_make(delta.field.str()), value);
    return std::nullopt;
  }

  const json_fields& state_;
  std::map<std::string, field_value, std::less<>> touched_;
  std::map<field_name, const task_delta*> writers_;
  std::map<field_name, std::set<std::string>> members_;  // of unions, as canonical text
};

reducer reducer_of(std::span<const state_field> declared, const field_name& field) {
  const auto found = std::ranges::find(declared, field, &state_field::name);
  if (found != declared.end()) {
    return found->reduce;
  }
  return field.str() == last_error_field ? reducer::last : reducer::fail;
}

}  // namespace

std::variant<json_fields, merge_refusal> merge(const json_fields& state,
                                               std::span<const state_field> declared,
                                               std::span<const task_delta> deltas) {
  field_reduction reduction{state};
  for (const auto& delta : deltas) {
    auto why = delta.field.empty() ? reduction.edit(delta) : reduction.apply(reducer_of(declared, delta.field), delta);
    if (why) {
      return merge_refusal{delta.step, *std::move(why)};
    }
  }
  return reduction.state();
}

}  // namespace troupe
