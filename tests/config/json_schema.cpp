#include "tests/config/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <regex>

namespace troupe::test {
namespace {

namespace json = boost::json;

bool has_type(const json::value& document, std::string_view type) {
  if (type == "object") {
    return document.is_object();
  }
  if (type == "array") {
    return document.is_array();
  }
  if (type == "string") {
    return document.is_string();
  }
  if (type == "boolean") {
    return document.is_bool();
  }
  if (type == "number") {
    return document.is_number();
  }
  return type == "integer" && document.is_int64();
}

std::string text_of(const json::value& document) { return std::string{document.as_string()}; }

std::string misfit_of_members(const json::object& document, const json::object& schema, const std::string& at) {
  const auto* known = schema.if_contains("properties");
  const auto* others = schema.if_contains("additionalProperties");
  const auto* names = schema.if_contains("propertyNames");
  for (const auto& member : document) {
    const std::string here = at + '/' + std::string{member.key()};
    const auto* own = known == nullptr ? nullptr : known->as_object().if_contains(member.key());
    if (names != nullptr) {
      if (const auto found = misfit(json::value(member.key()), *names, here); !found.empty()) {
        return found;
      }
    }
    if (own == nullptr && others != nullptr && others->is_bool()) {
      if (!others->as_bool()) {
        return here + ": additionalProperties";
      }
      continue;
    }
    const auto* const rule = own != nullptr ? own : others;
    if (rule != nullptr) {
      if (const auto found = misfit(member.value(), *rule, here); !found.empty()) {
        return found;
      }
    }
  }
  return {};
}

std::string misfit_of_items(const json::array& document, const json::value& items, const std::string& at) {
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (const auto found = misfit(document[i], items, at + '/' + std::to_string(i)); !found.empty()) {
      return found;
    }
  }
  return {};
}

std::int64_t count_of_fitting(const json::value& document, const json::array& schemas) {
  return std::ranges::count_if(schemas, [&](const json::value& each) { return misfit(document, each, "").empty(); });
}

bool has_members(const json::value& document, const json::array& names) {
  return std::ranges::all_of(names,
                             [&](const json::value& name) { return document.as_object().contains(name.as_string()); });
}

bool fits(const json::value& document, std::string_view keyword, const json::value& rule) {
  if (keyword == "type") {
    return has_type(document, rule.as_string());
  }
  if (keyword == "anyOf") {
    return count_of_fitting(document, rule.as_array()) > 0;
  }
  if (keyword == "oneOf") {
    return count_of_fitting(document, rule.as_array()) == 1;
  }
  if (keyword == "required") {
    return !document.is_object() || has_members(document, rule.as_array());
  }
  if (keyword == "const") {
    return document == rule;
  }
  if (keyword == "enum") {
    return std::ranges::find(rule.as_array(), document) != rule.as_array().end();
  }
  if (keyword == "minimum") {
    return !document.is_number() || document.to_number<double>() >= rule.to_number<double>();
  }
  if (keyword == "maximum") {
    return !document.is_number() || document.to_number<double>() <= rule.to_number<double>();
  }
  if (keyword == "minLength") {
    return !document.is_string() || static_cast<std::int64_t>(document.as_string().size()) >= rule.as_int64();
  }
  if (keyword == "minItems") {
    return !document.is_array() || static_cast<std::int64_t>(document.as_array().size()) >= rule.as_int64();
  }
  if (keyword == "pattern") {
    return !document.is_string() || std::regex_search(text_of(document), std::regex{text_of(rule)});
  }
  return keyword == "$schema" || keyword == "title" || keyword == "description" || keyword == "default";
}

}  // namespace

std::string misfit(const json::value& document, const json::value& schema, const std::string& at) {
  for (const auto& member : schema.as_object()) {
    const std::string_view keyword = member.key();
    if (keyword == "properties" || keyword == "additionalProperties" || keyword == "propertyNames") {
      continue;
    }
    if (keyword == "items") {
      if (document.is_array()) {
        if (auto found = misfit_of_items(document.as_array(), member.value(), at); !found.empty()) {
          return found;
        }
      }
    } else if (!fits(document, keyword, member.value())) {
      return at + ": " + std::string{keyword};
    }
  }
  return document.is_object() ? misfit_of_members(document.as_object(), schema.as_object(), at) : std::string{};
}

}  // namespace troupe::test
