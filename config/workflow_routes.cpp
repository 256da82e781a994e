// `next` and `when` of a step.
#include "config/workflow_parser.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

std::string item_path(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

std::optional<route> parse_target(const toml_value_ref& value, source_map& positions) {
  positions.set(value.path, value.sink.position(value.node.begin));
  auto name = read_name(value, "the id of a step");
  if (!name) {
    return std::nullopt;
  }
  return route{step_id{std::move(*name)}, {}, value.sink.position(value.node.begin)};
}

std::optional<route> parse_route(const toml_value_ref& value, const toml_table& table, source_map& positions) {
  toml_reader reader{table, value.node.begin, value.path, value.sink, positions};
  std::optional<route> out;
  if (const auto to = reader.require("to", "write { to = \"step\", when = { ... } }")) {
    out = parse_target(*to, positions);
  }
  if (const auto when = reader.take("when")) {
    auto holds = parse_condition(*when, positions);
    if (out && holds) {
      out->when = std::move(*holds);
    }
  }
  reader.finish();
  return out;
}

// Every one of a list of names is taken; of a list of tables the first whose condition holds.
void check_order(const toml_value_ref& value, const toml_list& list) {
  const auto is_open = [](const toml_node& node) {
    const auto* table = node.as<toml_table>();
    return table != nullptr && table->find("when") == nullptr;
  };
  const auto open = std::find_if(list.begin(), list.end(), is_open);
  if (open != list.end() && open + 1 != list.end()) {
    value.sink.error((open + 1)->begin,
                     item_path(value.path, static_cast<std::size_t>(open - list.begin()) + 1),
                     "this route can never be taken: the one before it has no 'when', so it always holds",
                     "put the route without 'when' last; to go to several steps, write a list of names");
  }
}

condition compare_with(std::string pointer, comparison by, json_text value) {
  condition out;
  out.pointer = std::move(pointer);
  out.compares = by;
  out.value = std::move(value);
  return out;
}

bool has_order(comparison by) {
  return by == comparison::gt || by == comparison::ge || by == comparison::lt || by == comparison::le;
}

bool is_ordered(const toml_node& node) {
  return node.as<std::int64_t>() != nullptr || node.as<double>() != nullptr || node.as<std::string>() != nullptr ||
         node.as<toml_date>() != nullptr;
}

void parse_comparison(toml_reader& reader, const toml_value_ref& value, std::optional<condition>& out) {
  std::optional<std::string> pointer;
  if (const auto path = reader.require("path", "write { path = \"/field\", eq = 1 }")) {
    pointer = read_pointer(*path);
  }
  int operators = 0;
  for (std::size_t i = 0; i < comparison_words.size(); ++i) {
    const auto operand = reader.take(comparison_words.at(i));
    if (!operand) {
      continue;
    }
    ++operators;
    const auto by = static_cast<comparison>(i);
    if (by == comparison::exists && !read_boolean(*operand)) {
      continue;
    }
    if (by == comparison::in && operand->node.as<toml_list>() == nullptr) {
      operand->refuse("must be a list of values");
      continue;
    }
    if (has_order(by) && !is_ordered(operand->node)) {
      operand->refuse("must be a number or a text: others are neither more nor less than anything");
      continue;
    }
    auto json = read_json(*operand);
    if (pointer && json) {
      out = compare_with(*pointer, by, std::move(*json));
    }
  }
  if (operators != 1) {
    value.refuse(operators == 0 ? "compares with nothing" : "has several comparisons",
                 "write exactly one of eq, ne, gt, ge, lt, le, exists, in");
    out.reset();
  }
}

void parse_parts(const toml_value_ref& parts, source_map& positions, condition& out) {
  const auto* list = parts.node.as<toml_list>();
  if (list == nullptr || list->empty()) {
    parts.refuse("must be a list of conditions, with at least one");
    return;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (auto part = parse_condition({(*list)[i], item_path(parts.path, i), parts.sink}, positions)) {
      out.parts.push_back(std::move(*part));
    }
  }
}

}  // namespace

std::optional<condition> parse_condition(const toml_value_ref& value, source_map& positions) {
  const auto* table = read_table(value);
  if (table == nullptr) {
    return std::nullopt;
  }
  const std::size_t before = value.sink.count();
  toml_reader reader{*table, value.node.begin, value.path, value.sink, positions};
  const bool is_group = reader.has("all") || reader.has("any") || reader.has("not");
  std::optional<condition> out;
  if (!is_group) {
    parse_comparison(reader, value, out);
  } else if (table->members.size() != 1) {
    value.refuse("mixes 'all', 'any' or 'not' with something else",
                 "write exactly one of: all = [...], any = [...], not = {...}, or a path with a comparison");
    return std::nullopt;
  }
  if (const auto all = reader.take("all")) {
    parse_parts(*all, positions, out.emplace());
    out->is = condition::kind::all;
  }
  if (const auto any = reader.take("any")) {
    parse_parts(*any, positions, out.emplace());
    out->is = condition::kind::any;
  }
  if (const auto negated = reader.take("not")) {
    auto part = parse_condition(*negated, positions);
    out.emplace().is = condition::kind::negate;
    out->parts.assign(part ? 1 : 0, part.value_or(condition{}));
  }
  reader.finish();
  return value.sink.count() == before ? out : std::nullopt;
}

std::vector<route> parse_routes(const toml_value_ref& value, source_map& positions) {
  static constexpr std::string_view forms =
      "write next = \"b\", next = [\"b\", \"c\"] or next = [{ to = \"b\", when = {...} }, { to = \"c\" }]";
  std::vector<route> routes;
  const auto add = [&](std::optional<route> found) {
    if (found) {
      routes.push_back(std::move(*found));
    }
  };
  if (value.node.as<std::string>() != nullptr) {
    add(parse_target(value, positions));
    return routes;
  }
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    value.refuse("must be a step or a list; this is " + std::string{kind_name(value.node)}, std::string{forms});
    return routes;
  }
  std::size_t tables = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml_value_ref item{(*list)[i], item_path(value.path, i), value.sink};
    if (const auto* table = item.node.as<toml_table>()) {
      ++tables;
      add(parse_route(item, *table, positions));
    } else {
      add(parse_target(item, positions));
    }
  }
  if (tables != 0 && tables != list->size()) {
    value.refuse("mixes names and tables", std::string{forms});
  }
  check_order(value, *list);
  return routes;
}

}  // namespace troupe
