// One `[[step]]`.
#include "config/workflow_parser.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr int attempts_max = 1'000;
constexpr double multiplier_max = 1'000;
constexpr std::string_view no_limit_word = "off";

class step_parser {
 public:
  step_parser(const toml_table& table, toml_place at, std::string path, workflow_parts& parts)
      : parts_(parts), reader_(table, at, std::move(path), parts.sink, parts.positions) {
    out_.at = parts.sink.position(at);
  }

  step parse() {
    if (const auto id = reader_.require("id", "add id = \"survey\"; " + std::string{name_rule})) {
      out_.id = step_id{read_name(*id, "the id of a step").value_or("")};
    }
    parse_agents();
    out_.function = parse_function(reader_);
    if (const auto gate = reader_.take("gate")) {
      out_.gate = parse_gate(*gate, parts_);
    }
    if (const auto map = reader_.take("map")) {
      out_.map = parse_map(*map, parts_);
    }
    parse_prompt();
    parse_output();
    parse_policies();
    parse_edges();
    if (const auto consensus = reader_.take("consensus")) {
      out_.consensus = parse_consensus(*consensus, parts_);
    }
    reader_.finish();
    return std::move(out_);
  }

 private:
  void parse_agents() {
    const auto one = reader_.take("agent");
    const auto several = reader_.take("agents");
    if (one && several) {
      several->refuse("is there, and 'agent' too", "write one of them");
    }
    if (one) {
      add_agent(*one);
    }
    const auto* list = several ? several->node.as<toml_list>() : nullptr;
    if (several && (list == nullptr || list->empty())) {
      several->refuse("must be a list of names of agents, with at least one");
    }
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      add_agent({(*list)[i], several->path + '[' + std::to_string(i) + ']', several->sink});
    }
  }

  void add_agent(const toml_value_ref& value) {
    parts_.positions.set(value.path, parts_.sink.position(value.node.begin));
    if (auto name = read_name(value, "the name of an agent")) {
      out_.agents.emplace_back(std::move(*name));
    }
  }

  void parse_prompt() {
    const auto text = reader_.take("prompt");
    const auto file = reader_.take("prompt_file");
    if (text && file) {
      file->refuse("is there, and 'prompt' too", "write one of them");
      return;
    }
    if (text) {
      note_text(*text, parts_);
      out_.prompt = read_text(*text).value_or("");
    }
    if (file) {
      if (auto found = parts_.prompts.find(*file)) {
        parts_.positions.set_text(reader_.path_of("prompt"), found->at, std::move(found->raw));
        out_.prompt = std::move(found->text);
      }
    }
  }

  void parse_output() {
    const auto output = reader_.take("output");
    const auto text = output ? read_text(*output) : std::nullopt;
    if (text && !is_field_name(*text)) {
      output->refuse("is '" + *text + "', which cannot be the name of a field", std::string{field_rule});
    }
    out_.output = field_name{text && is_field_name(*text) ? *text : out_.id.str()};
  }

  void parse_policies() {
    if (const auto timeout = reader_.take("timeout")) {
      out_.timeout = read_duration(*timeout, {.min = milliseconds{1}});
    }
    if (const auto retry = reader_.take("retry")) {
      parse_retry(*retry);
    }
    if (const auto crash = reader_.take("on_crash")) {
      out_.on_crash = read_enum<crash_policy>(*crash, crash_words);
    }
    if (const auto effects = reader_.take("effects")) {
      out_.effects = read_enum<effect_kind>(*effects, effect_words);
    }
  }

  void parse_retry(const toml_value_ref& value) {
    const auto* table = read_table(value);
    if (table == nullptr) {
      return;
    }
    retry_policy retry = parts_.retry;
    toml_reader reader{*table, value.node.begin, value.path, parts_.sink, parts_.positions};
    if (const auto most = reader.take("max_attempts")) {
      retry.max_attempts = static_cast<int>(read_integer(*most, {.min = 1, .max = attempts_max}).value_or(1));
    }
    parse_pauses(reader, retry);
    if (const auto multiplier = reader.take("multiplier")) {
      retry.multiplier = read_number(*multiplier, 1, multiplier_max).value_or(retry.multiplier);
    }
    if (const auto jitter = reader.take("jitter")) {
      retry.jitter = read_number(*jitter, 0, 1).value_or(retry.jitter);
    }
    if (const auto total = reader.take("total")) {
      const auto* text = total->node.as<std::string>();
      const bool is_off = text != nullptr && *text == no_limit_word;
      retry.total = is_off ? std::nullopt : read_duration(*total, {.min = milliseconds{1}});
    }
    reader.finish();
    out_.retry = retry;
  }

  // Of the two, one that the table names holds against one of the configuration.
  static void parse_pauses(toml_reader& reader, retry_policy& retry) {
    const auto initial = reader.take("initial");
    const auto max = reader.take("max");
    if (initial) {
      retry.initial = read_duration(*initial).value_or(retry.initial);
      retry.max = max ? retry.max : std::max(retry.max, retry.initial);
    }
    if (max) {
      retry.max = read_duration(*max).value_or(retry.max);
      if (!initial) {
        retry.initial = std::min(retry.initial, retry.max);
      } else if (retry.max < retry.initial) {
        max->refuse("is less than 'initial', which is " + to_text(retry.initial));
      }
    }
  }

  void parse_edges() {
    if (const auto next = reader_.take("next")) {
      out_.next = parse_routes(*next, parts_.positions);
    }
    if (const auto error = reader_.take("on_error")) {
      if (auto name = read_name(*error, "the id of a step")) {
        out_.on_error = step_id{std::move(*name)};
      }
    }
    const auto join = reader_.take("join");
    const auto* list = join ? join->node.as<toml_list>() : nullptr;
    if (join && (list == nullptr || list->empty())) {
      join->refuse("must be a list of steps, with at least one");
    }
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const toml_value_ref item{(*list)[i], join->path + '[' + std::to_string(i) + ']', join->sink};
      parts_.positions.set(item.path, parts_.sink.position(item.node.begin));
      if (auto name = read_name(item, "the id of a step")) {
        out_.join.emplace_back(std::move(*name));
      }
    }
  }

  workflow_parts& parts_;
  toml_reader reader_;
  step out_;
};

}  // namespace

std::optional<function_call> parse_function(toml_reader& reader) {
  const auto name = reader.take("function");
  const auto args = reader.take("args");
  if (args && !name) {
    args->refuse("has no use without 'function'", "take it out, or name the function");
  }
  const auto text = name ? read_text(*name) : std::nullopt;
  if (!text) {
    return std::nullopt;
  }
  if (text->empty()) {
    return name->refuse("must not be empty");
  }
  function_call call{*text, json_text{"{}"}};
  if (args) {
    const auto* list = args->node.as<toml_list>();
    const auto is_table = [](const toml_node& node) { return node.as<toml_table>() != nullptr; };
    if (!is_table(args->node) && (list == nullptr || !std::all_of(list->begin(), list->end(), is_table))) {
      args->refuse("must be a table or a list of tables");
    } else {
      call.args = read_json(*args).value_or(json_text{"{}"});
    }
  }
  return call;
}

step parse_step(const toml_table& table, toml_place at, std::size_t index, workflow_parts& parts) {
  return step_parser{table, at, "step[" + std::to_string(index) + ']', parts}.parse();
}

}  // namespace troupe
