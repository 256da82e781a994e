// type_text and the range of a setting in the units of its file.
#include "config/setting_key.hpp"
#include "config/toml_text.hpp"

namespace troupe {
namespace {

std::string choices_text(const setting_facts& facts) {
  std::string text;
  for (std::size_t i = 0; i < facts.choices.size(); ++i) {
    const bool is_last = i + 1 == facts.choices.size();
    text += (i == 0 ? "" : is_last ? " or " : ", ") + toml_string(facts.choices[i]);
  }
  return text;
}

std::string range_of(const setting_facts& facts) {
  if (facts.kind == value_kind::duration || facts.kind == value_kind::duration_or_off) {
    return to_text(milliseconds{facts.range.min}) + " to " + to_text(milliseconds{facts.range.max});
  }
  if (facts.kind == value_kind::size) {
    return size_text(facts.range.min) + " to " + size_text(facts.range.max);
  }
  return std::to_string(facts.range.min) + " to " + std::to_string(facts.range.max);
}

std::string bare_type(const setting_facts& facts) {
  switch (facts.kind) {
    case value_kind::integer:
      return "integer, " + range_of(facts);
    case value_kind::boolean:
      return "true or false";
    case value_kind::time_of_day:
      return "time of day, 00:00 to 23:59";
    case value_kind::duration:
      return "duration, " + range_of(facts);
    case value_kind::duration_or_off:
      return "duration, " + range_of(facts) + ", or \"off\"";
    case value_kind::size:
      return "size, " + range_of(facts);
    case value_kind::text:
      return "text";
    case value_kind::path:
      return "path";
    case value_kind::choice:
      return choices_text(facts);
    case value_kind::command:
    case value_kind::texts:
      return "list of texts";
    case value_kind::pointers:
      return "list of JSON pointers";
    case value_kind::integers:
      return "list of integers, " + range_of(facts);
    case value_kind::variable_names:
      return "list of names";
    case value_kind::variables:
    case value_kind::headers:
      return "table of texts";
    case value_kind::number:
      return "number, " + toml_value(toml_node{facts.numbers.min}) + " to " + toml_value(toml_node{facts.numbers.max});
    case value_kind::money:
      return "USD, " + toml_value(toml_node{facts.numbers.min}) + " to " + toml_value(toml_node{facts.numbers.max});
    case value_kind::retry:
      return "table, see [retry]";
    case value_kind::breaker:
      return "table, see breaker";
    case value_kind::source:
      return "JSON pointer, or table";
    case value_kind::usage:
      return "table";
    case value_kind::failures:
      return "list of tables";
  }
  return {};
}

}  // namespace

std::string type_text(const setting_facts& facts) {
  return bare_type(facts) + (facts.may_be_empty ? "" : ", not empty");
}

}  // namespace troupe
