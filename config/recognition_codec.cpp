#include "config/recognition_codec.hpp"

#include "config/toml_reader.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 2> lines{"last", "first"};
constexpr std::array<std::string_view, 2> streams{"stdout", "stderr"};
constexpr std::array<error_code, 11> failure_codes{error_code::agent_exit,
                                                   error_code::agent_no_output,
                                                   error_code::auth_required,
                                                   error_code::budget_exceeded,
                                                   error_code::invalid_input,
                                                   error_code::not_found,
                                                   error_code::output_invalid,
                                                   error_code::provider_unavailable,
                                                   error_code::rate_limited,
                                                   error_code::task_timeout,
                                                   error_code::unknown_model};
constexpr integer_range exit_codes{0, 255};

bool has_test(const toml_reader& table) { return table.has("eq") || table.has("in") || table.has("exists"); }

std::optional<json_text> read_scalar(const toml_value_ref& value) {
  if (value.node.as<toml_list>() != nullptr || value.node.as<toml_table>() != nullptr) {
    return value.refuse("must be a text, a number, true or false; this is " + std::string{kind_name(value.node)});
  }
  return read_json(value);
}

std::vector<json_text> read_scalars(const toml_value_ref& value) {
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr || list->empty()) {
    value.refuse("must be a list of values, not empty", "write in = [429, 503]");
    return {};
  }
  std::vector<json_text> all;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (auto text = read_scalar({(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink})) {
      all.push_back(*std::move(text));
    }
  }
  return all;
}

std::string pointer_at(toml_reader& table, std::string_view key) {
  const auto value = table.take(key);
  return value ? read_pointer(*value).value_or(std::string{}) : std::string{};
}

// path, and one of eq, in, exists.
value_test read_test(toml_reader& table) {
  value_test test;
  test.path = pointer_at(table, "path");
  const int tests =
      static_cast<int>(table.has("eq")) + static_cast<int>(table.has("in")) + static_cast<int>(table.has("exists"));
  if (tests != 1) {
    table.sink().error(table.place(),
                       table.path_of("path"),
                       tests == 0 ? "'path' has nothing that it is compared with"
                                  : "only one of 'eq', 'in' and 'exists' can be said of a path",
                       "write eq = \"value\", in = [1, 2] or exists = true");
  }
  if (const auto value = table.take("eq")) {
    if (auto text = read_scalar(*value)) {
      test.any_of = {*std::move(text)};
    }
  }
  if (const auto value = table.take("in")) {
    test.any_of = read_scalars(*value);
  }
  if (const auto value = table.take("exists")) {
    test.exists = read_boolean(*value).value_or(true);
  }
  return test;
}

value_source read_source_table(const toml_table& members, const toml_value_ref& value, source_map& positions) {
  value_source source;
  toml_reader table{members, value.node.begin, value.path, value.sink, positions};
  source.path = pointer_at(table, "path");
  if (table.has("only_key")) {
    if (table.has("path")) {
      value.refuse("has both 'path' and 'only_key'", "write the one that is meant");
    }
    source.path = pointer_at(table, "only_key");
    source.only_key = true;
  }
  source.each = pointer_at(table, "each");
  if (const auto where = table.take("where")) {
    if (const auto* test = read_table(*where)) {
      toml_reader inner{*test, where->node.begin, where->path, where->sink, positions};
      source.where = read_test(inner);
      inner.finish();
    }
  }
  if (const auto line = table.take("line")) {
    source.line = read_enum<line_choice>(*line, lines);
  }
  table.finish();
  return source;
}

value_source read_source(const toml_value_ref& value) {
  source_map unused;
  if (const auto* members = value.node.as<toml_table>()) {
    return read_source_table(*members, value, unused);
  }
  value_source source;
  if (value.node.as<std::string>() == nullptr) {
    value.refuse("must be a JSON pointer or a table; this is " + std::string{kind_name(value.node)},
                 "write \"/answer\", or { path = \"/text\", where = { path = \"/type\", eq = \"answer\" } }");
  } else {
    source.path = read_pointer(value).value_or(std::string{});
  }
  return source;
}

std::vector<value_source> read_sources(const toml_value_ref& value) {
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    return {read_source(value)};
  }
  std::vector<value_source> all;
  for (std::size_t i = 0; i < list->size(); ++i) {
    all.push_back(read_source({(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink}));
  }
  return all;
}

error_code read_code(const toml_value_ref& value) {
  const auto text = read_text(value);
  if (!text) {
    return {};
  }
  std::vector<std::string> names;
  names.reserve(std::size(failure_codes));
  for (const auto each : failure_codes) {
    names.emplace_back(to_string(each));
  }
  const auto found = std::find(names.begin(), names.end(), *text);
  if (found == names.end()) {
    const bool is_code = error_code_from(*text).has_value();
    value.refuse(is_code ? "is " + *text + ", which an agent's output cannot mean" : "is no error code: " + *text,
                 suggestion(*text, names));
    return {};
  }
  return failure_codes.at(static_cast<std::size_t>(found - names.begin()));
}

void read_delay(failure_rule& rule, const toml_value_ref& value) {
  const auto* text = value.node.as<std::string>();
  if (text != nullptr && text->starts_with('/')) {
    rule.retry_after_path = read_pointer(value).value_or(std::string{});
  } else {
    rule.retry_after = read_duration(value);
  }
}

failure_rule read_failure(const toml_value_ref& value) {
  failure_rule rule;
  const auto* members = read_table(value);
  if (members == nullptr) {
    return rule;
  }
  source_map unused;
  toml_reader table{*members, value.node.begin, value.path, value.sink, unused};
  if (const auto exit = table.take("exit")) {
    rule.exit = read_integers(*exit, exit_codes).value_or(std::vector<int>{});
  }
  if (table.has("path") || has_test(table)) {
    rule.test = read_test(table);
  }
  if (const auto from = table.take("from")) {
    rule.from = read_enum<output_stream>(*from, streams).value_or(rule.from);
  }
  if (const auto code = table.require("code", "write code = \"RATE_LIMITED\"")) {
    rule.code = read_code(*code);
  }
  rule.message = pointer_at(table, "message");
  if (const auto delay = table.take("retry_after")) {
    read_delay(rule, *delay);
  }
  table.finish();
  return rule;
}

void put(toml_table& table, std::string_view key, toml_node value) {
  table.members.push_back({std::string{key}, {}, std::move(value)});
}

void put_text(toml_table& table, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    put(table, key, toml_node{text});
  }
}

toml_node node_of(const json_text& value) { return parse_json(value.str()).value_or(toml_node{std::string{}}); }

void put_test(toml_table& table, const value_test& test) {
  put(table, "path", toml_node{test.path});
  if (test.any_of.empty()) {
    put(table, "exists", toml_node{test.exists});
  } else if (test.any_of.size() == 1) {
    put(table, "eq", node_of(test.any_of.front()));
  } else {
    toml_list list;
    std::ranges::transform(test.any_of, std::back_inserter(list), node_of);
    put(table, "in", toml_node{std::move(list)});
  }
}

toml_node node_of(const std::vector<value_source>& sources) {
  toml_list list;
  for (const auto& each : sources) {
    list.push_back(write_setting(each));
  }
  return toml_node{std::move(list)};
}

toml_node node_of(const failure_rule& rule) {
  toml_table table;
  if (!rule.exit.empty()) {
    toml_list list;
    for (const int code : rule.exit) {
      list.emplace_back(std::int64_t{code});
    }
    put(table, "exit", toml_node{std::move(list)});
  }
  if (rule.test) {
    put_test(table, *rule.test);
  }
  put(table, "from", toml_node{std::string{streams.at(static_cast<std::size_t>(rule.from))}});
  put(table, "code", toml_node{std::string{to_string(rule.code)}});
  put_text(table, "message", rule.message);
  put_text(table, "retry_after", rule.retry_after ? to_text(*rule.retry_after) : rule.retry_after_path);
  return toml_node{std::move(table)};
}

}  // namespace

std::span<const error_code> codes_of_failures() noexcept { return failure_codes; }

bool read_setting(value_source& into, const setting_facts&, const toml_value_ref& value, const path_context&) {
  const auto before = value.sink.count();
  auto source = read_source(value);
  if (value.sink.count() != before) {
    return false;
  }
  into = std::move(source);
  return true;
}

bool read_setting(usage_sources& into, const setting_facts&, const toml_value_ref& value, const path_context&) {
  const auto before = value.sink.count();
  const auto* members = read_table(value);
  if (members == nullptr) {
    return false;
  }
  source_map unused;
  usage_sources sources;
  toml_reader table{*members, value.node.begin, value.path, value.sink, unused};
  if (const auto input = table.take("input")) {
    sources.input = read_sources(*input);
  }
  if (const auto output = table.take("output")) {
    sources.output = read_sources(*output);
  }
  if (const auto model = table.take("model")) {
    sources.model = read_source(*model);
  }
  table.finish();
  if (value.sink.count() != before) {
    return false;
  }
  into = std::move(sources);
  return true;
}

bool read_setting(std::vector<failure_rule>& into,
                  const setting_facts&,
                  const toml_value_ref& value,
                  const path_context&) {
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    value.refuse("must be a list of tables; this is " + std::string{kind_name(value.node)},
                 "write [{ exit = [41], code = \"AUTH_REQUIRED\" }]");
    return false;
  }
  const auto before = value.sink.count();
  std::vector<failure_rule> rules;
  for (std::size_t i = 0; i < list->size(); ++i) {
    rules.push_back(read_failure({(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink}));
  }
  if (value.sink.count() != before) {
    return false;
  }
  into = std::move(rules);
  return true;
}

toml_node write_setting(const value_source& value) {
  value_source plain;
  plain.path = value.path;
  if (value == plain) {
    return toml_node{value.path};
  }
  toml_table table;
  put(table, value.only_key ? "only_key" : "path", toml_node{value.path});
  put_text(table, "each", value.each);
  if (value.where) {
    toml_table test;
    put_test(test, *value.where);
    put(table, "where", toml_node{std::move(test)});
  }
  if (value.line) {
    put(table, "line", toml_node{std::string{lines.at(static_cast<std::size_t>(*value.line))}});
  }
  return toml_node{std::move(table)};
}

toml_node write_setting(const usage_sources& value) {
  toml_table table;
  if (!value.input.empty()) {
    put(table, "input", node_of(value.input));
  }
  if (!value.output.empty()) {
    put(table, "output", node_of(value.output));
  }
  if (!value.model.empty()) {
    put(table, "model", write_setting(value.model));
  }
  return toml_node{std::move(table)};
}

toml_node write_setting(const std::vector<failure_rule>& value) {
  toml_list list;
  for (const auto& each : value) {
    list.push_back(node_of(each));
  }
  return toml_node{std::move(list)};
}

}  // namespace troupe
