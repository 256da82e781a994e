// to_toml of a workflow.
#include "config/toml_text.hpp"
#include "config/workflow_file.hpp"
#include "config/workflow_words.hpp"

#include <map>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

constexpr double microusd = 1e6;

// A JSON value as TOML writes it; what TOML does not have (null, a damaged text) stays a string that says so.
toml_node json_node(const json_text& json) {
  auto node = parse_json(json.str());
  return node ? std::move(*node) : toml_node{json.str()};
}

class table_writer {
 public:
  void add(std::string_view key, toml_node value) {
    table_.members.push_back({std::string{key}, {}, std::move(value)});
  }
  void add(std::string_view key, std::string_view text) { add(key, toml_node{std::string{text}}); }
  void add(std::string_view key, std::int64_t number) { add(key, toml_node{number}); }
  void add(std::string_view key, milliseconds length) { add(key, toml_node{to_text(length)}); }

  template <class T>
  void add_if(std::string_view key, const std::optional<T>& value) {
    if (value) {
      add(key, *value);
    }
  }

  void add_text_if(std::string_view key, std::string_view text) {
    if (!text.empty()) {
      add(key, text);
    }
  }

  toml_node inline_table() { return toml_node{std::move(table_)}; }

  std::string lines() const {
    std::string out;
    for (const auto& member : table_.members) {
      out += toml_key(member.key) + " = ";
      append_toml(out, member.value);
      out += '\n';
    }
    return out;
  }

 private:
  toml_table table_;
};

template <class Ids>
toml_node names_node(const Ids& ids) {
  toml_list list;
  for (const auto& id : ids) {
    list.emplace_back(id.str());
  }
  return toml_node{std::move(list)};
}

toml_node condition_node(const condition& holds) {
  table_writer out;
  toml_list parts;
  for (const auto& part : holds.parts) {
    parts.push_back(condition_node(part));
  }
  switch (holds.is) {
    case condition::kind::compare:
      out.add("path", holds.pointer);
      out.add(word_of(comparison_words, holds.compares), json_node(holds.value));
      break;
    case condition::kind::all:
      out.add("all", toml_node{std::move(parts)});
      break;
    case condition::kind::any:
      out.add("any", toml_node{std::move(parts)});
      break;
    case condition::kind::negate:
      out.add("not", parts.empty() ? toml_node{toml_table{}} : std::move(parts.front()));
      break;
  }
  return out.inline_table();
}

toml_node routes_node(const std::vector<route>& routes) {
  bool has_conditions = false;
  for (const auto& each : routes) {
    has_conditions = has_conditions || each.when.has_value();
  }
  toml_list list;
  for (const auto& each : routes) {
    if (!has_conditions) {
      list.emplace_back(each.to.str());
      continue;
    }
    table_writer entry;
    entry.add("to", each.to.str());
    if (each.when) {
      entry.add("when", condition_node(*each.when));
    }
    list.push_back(entry.inline_table());
  }
  return toml_node{std::move(list)};
}

toml_node texts_node(const std::vector<std::string>& texts) { return toml_node{toml_list(texts.begin(), texts.end())}; }

void add_level(table_writer& out, const gate_level& level) {
  out.add("prompt", level.prompt);
  if (level.votes != gate_level{}.votes) {
    out.add("votes", std::int64_t{level.votes});
  }
  if (!level.voters.empty()) {
    out.add("voters", texts_node(level.voters));
  }
  out.add_if("expires", level.expires);
  if (level.expires || level.on_expiry != gate_level{}.on_expiry) {
    out.add("on_expiry", word_of(expiry_words, level.on_expiry));
  }
}

toml_node gate_node(const gate_policy& gate) {
  table_writer out;
  if (gate.levels.size() == 1 && !gate.levels.front().when) {
    add_level(out, gate.levels.front());
  } else {
    toml_list levels;
    for (const auto& each : gate.levels) {
      table_writer level;
      if (each.when) {
        level.add("when", condition_node(*each.when));
      }
      add_level(level, each);
      levels.push_back(level.inline_table());
    }
    out.add("levels", toml_node{std::move(levels)});
  }
  out.add_if("action", gate.action);
  if (gate.approved_when) {
    out.add("approved_when", condition_node(*gate.approved_when));
  }
  return out.inline_table();
}

void add_function(table_writer& out, const function_call& call) {
  out.add("function", call.name);
  out.add("args", json_node(call.args));
}

toml_node map_node(const map_policy& map) {
  table_writer out;
  out.add("over", map.over);
  out.add("as", map.as);
  out.add_text_if("agent", map.agent.str());
  if (map.function) {
    add_function(out, *map.function);
  }
  out.add_text_if("workflow", map.workflow_file);
  if (map.max_concurrent != 0) {
    out.add("max_concurrent", std::int64_t{map.max_concurrent});
  }
  return out.inline_table();
}

toml_node retry_node(const retry_policy& retry) {
  table_writer out;
  out.add("max_attempts", std::int64_t{retry.max_attempts});
  out.add("initial", retry.initial);
  out.add("max", retry.max);
  out.add("multiplier", toml_node{retry.multiplier});
  out.add("jitter", toml_node{retry.jitter});
  out.add("total", retry.total ? toml_node{to_text(*retry.total)} : toml_node{std::string{"off"}});
  return out.inline_table();
}

std::string consensus_lines(const consensus_policy& policy) {
  table_writer out;
  out.add("strategy", word_of(strategy_words, policy.strategy));
  out.add_if("quorum", policy.quorum);
  out.add_text_if("vote_on", policy.vote_on);
  out.add_text_if("vote_each", policy.vote_each);
  if (!policy.vote_by.empty()) {
    out.add("vote_by", texts_node(policy.vote_by));
  }
  if (policy.retry_degraded != consensus_policy{}.retry_degraded) {
    out.add("retry_degraded", std::int64_t{policy.retry_degraded});
  }
  out.add_if("min_answers", policy.min_answers);
  out.add_text_if("aggregator", policy.aggregator.str());
  out.add_text_if("prompt", policy.aggregate_prompt);
  if (policy.strategy == consensus_strategy::aggregate || !policy.required.empty()) {
    out.add("required", texts_node(policy.required));
  }
  out.add_if("soft_deadline", policy.soft_after);
  out.add_if("hard_deadline", policy.hard_after);
  return out.lines();
}

std::string step_text(const step& each) {
  table_writer out;
  out.add("id", each.id.str());
  if (!each.agents.empty()) {
    out.add("agents", names_node(each.agents));
  }
  if (each.function) {
    add_function(out, *each.function);
  }
  if (each.gate) {
    out.add("gate", gate_node(*each.gate));
  }
  if (each.map) {
    out.add("map", map_node(*each.map));
  }
  out.add_text_if("prompt", each.prompt);
  if (each.output.str() != each.id.str()) {
    out.add("output", each.output.str());
  }
  out.add_if("timeout", each.timeout);
  if (each.retry) {
    out.add("retry", retry_node(*each.retry));
  }
  if (each.on_crash) {
    out.add("on_crash", word_of(crash_words, *each.on_crash));
  }
  if (each.effects) {
    out.add("effects", word_of(effect_words, *each.effects));
  }
  if (each.on_error) {
    out.add("on_error", each.on_error->str());
  }
  if (!each.next.empty()) {
    out.add("next", routes_node(each.next));
  }
  if (!each.join.empty()) {
    out.add("join", names_node(each.join));
  }
  std::string text = "\n[[step]]\n" + out.lines();
  if (each.consensus) {
    text += "\n[step.consensus]\n" + consensus_lines(*each.consensus);
  }
  return text;
}

std::string limits_text(const run_limits& limits) {
  table_writer out;
  out.add("max_concurrent", std::int64_t{limits.max_concurrent});
  if (limits.priority != run_limits{}.priority) {
    out.add("priority", std::int64_t{limits.priority});
  }
  out.add("max_steps", limits.max_steps);
  out.add_if("wall_clock", limits.wall_clock);
  if (limits.budget.microusd) {
    out.add("budget_usd", toml_node{static_cast<double>(*limits.budget.microusd) / microusd});
  }
  out.add_if("budget_tokens", limits.budget.tokens);
  if (limits.budget.time) {
    out.add("budget_time", std::chrono::duration_cast<milliseconds>(*limits.budget.time));
  }
  return "\n[limits]\n" + out.lines();
}

std::string input_text(const input_field& field) {
  table_writer out;
  out.add("required", toml_node{field.required});
  if (field.default_value) {
    out.add("default", json_node(*field.default_value));
  }
  return "\n[inputs." + toml_key(field.name) + "]\n" + out.lines();
}

std::string field_text(const state_field& field) {
  table_writer out;
  if (field.initial) {
    out.add("initial", json_node(*field.initial));
  }
  out.add("reduce", word_of(reducer_words, field.reduce));
  return "\n[state." + toml_key(field.name.str()) + "]\n" + out.lines();
}

// The workflows of maps, whole, by the names that the maps have for them.
std::string files_text(const workflow& flow) {
  std::map<std::string, std::string_view> sources;
  for (const auto& each : flow.steps) {
    if (each.map && each.map->flow) {
      sources.try_emplace(each.map->workflow_file, each.map->flow->source);
    }
  }
  std::string text = sources.empty() ? "" : "\n[workflow_files]\n";
  for (const auto& [name, source] : sources) {
    text += toml_key(name) + " = " + toml_string(source) + '\n';
  }
  return text;
}

}  // namespace

std::string to_toml(const workflow& flow) {
  table_writer head;
  head.add("name", flow.name);
  head.add("version", flow.version);
  head.add_text_if("start", flow.start.str());
  std::string text = head.lines() + limits_text(flow.limits);
  for (const auto& field : flow.inputs) {
    text += input_text(field);
  }
  for (const auto& field : flow.state) {
    text += field_text(field);
  }
  for (const auto& each : flow.steps) {
    text += step_text(each);
  }
  return text + files_text(flow);
}

}  // namespace troupe
