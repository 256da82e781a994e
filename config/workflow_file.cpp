#include "config/workflow_file.hpp"

#include "config/file_text.hpp"
#include "config/workflow_parser.hpp"
#include "config/workflow_words.hpp"
#include "messages/base/sha256.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr int concurrent_max = 100'000;
constexpr double budget_max_usd = 1e9;
constexpr double microusd = 1e6;
constexpr int files_max = 1'000;

class workflow_parser {
 public:
  workflow_parser(std::string_view source,
                  const std::string& file_name,
                  const std::string& folder,
                  file_reading reading)
      : source_(source),
        sink_(file_name, error_code::invalid_workflow),
        prompts_(folder),
        retry_(reading.retry),
        workflows_(folder, std::move(reading)) {}

  loaded_workflow parse(const toml_table& root) {
    flow_.source = source_;
    toml_reader file{root, {1, 1}, {}, sink_, out_.positions};
    parse_head(file);
    if (const auto limits = file.take("limits")) {
      parse_limits(*limits);
    }
    if (const auto inputs = file.take("inputs")) {
      parse_inputs(*inputs);
    }
    if (const auto state = file.take("state")) {
      parse_state(*state);
    }
    if (const auto texts = file.take("prompt_files")) {
      prompts_.add_inlined(*texts, source_);
    }
    if (const auto files = file.take("workflow_files")) {
      workflows_.add_inlined(*files);
    }
    parse_steps(file);
    prompts_.finish(sink_);
    workflows_.finish(sink_);
    file.finish();
    return finish();
  }

 private:
  void parse_head(toml_reader& file) {
    if (const auto name = file.require("name", "add name = \"review\"; " + std::string{name_rule})) {
      flow_.name = read_name(*name, "the name of a workflow").value_or("");
    }
    if (const auto version = file.take("version")) {
      flow_.version = read_integer(*version, {.min = 0}).value_or(0);
    }
    if (const auto start = file.take("start")) {
      flow_.start = step_id{read_name(*start, "the id of a step").value_or("")};
    }
  }

  void parse_limits(const toml_value_ref& value) {
    const auto* table = read_table(value);
    if (table == nullptr) {
      return;
    }
    toml_reader limits{*table, value.node.begin, value.path, sink_, out_.positions};
    if (const auto most = limits.take("max_concurrent")) {
      flow_.limits.max_concurrent = static_cast<int>(
          read_integer(*most, {.min = 1, .max = concurrent_max}).value_or(flow_.limits.max_concurrent));
    }
    if (const auto priority = limits.take("priority")) {
      flow_.limits.priority =
          static_cast<int>(read_integer(*priority, {.min = 0, .max = 9}).value_or(flow_.limits.priority));
    }
    if (const auto most = limits.take("max_steps")) {
      flow_.limits.max_steps = read_integer(*most, {.min = 0}).value_or(0);
    }
    if (const auto most = limits.take("wall_clock")) {
      flow_.limits.wall_clock = read_duration(*most, {.min = milliseconds{1}});
    }
    if (const auto most = limits.take("budget_usd")) {
      if (const auto budget = read_number(*most, 0, budget_max_usd)) {
        flow_.limits.budget.microusd = std::llround(*budget * microusd);
      }
    }
    if (const auto most = limits.take("budget_tokens")) {
      flow_.limits.budget.tokens = read_integer(*most, {.min = 1});
    }
    if (const auto most = limits.take("budget_time")) {
      flow_.limits.budget.time = read_duration(*most, {.min = milliseconds{1}});
    }
    limits.finish();
  }

  void parse_inputs(const toml_value_ref& value) {
    const auto* table = read_table(value);
    for (const auto& member : table != nullptr ? table->members : std::vector<toml_member>{}) {
      const toml_value_ref declared{member.value, value.path + '.' + member.key, sink_};
      if (check_field_name(member, declared.path)) {
        parse_input(member, declared);
      }
    }
  }

  void parse_input(const toml_member& member, const toml_value_ref& value) {
    const auto* table = read_table(value);
    if (table == nullptr) {
      return;
    }
    input_field field{member.key, false, {}, sink_.position(member.at)};
    toml_reader input{*table, member.at, value.path, sink_, out_.positions};
    if (const auto required = input.take("required")) {
      field.required = read_boolean(*required).value_or(false);
    }
    if (const auto fallback = input.take("default")) {
      field.default_value = read_json(*fallback);
      if (field.required) {
        fallback->refuse("has no use: the input is required", "take out 'default' or 'required'");
      }
    }
    input.finish();
    flow_.inputs.push_back(std::move(field));
  }

  void parse_state(const toml_value_ref& value) {
    const auto* table = read_table(value);
    for (const auto& member : table != nullptr ? table->members : std::vector<toml_member>{}) {
      const toml_value_ref declared{member.value, value.path + '.' + member.key, sink_};
      if (check_field_name(member, declared.path)) {
        parse_field(member, declared);
      }
    }
  }

  void parse_field(const toml_member& member, const toml_value_ref& value) {
    const auto* table = read_table(value);
    if (table == nullptr) {
      return;
    }
    state_field field{field_name{member.key}, {}, reducer::fail, sink_.position(member.at)};
    toml_reader declared{*table, member.at, value.path, sink_, out_.positions};
    if (const auto reduce = declared.take("reduce")) {
      field.reduce = read_enum<reducer>(*reduce, reducer_words).value_or(reducer::fail);
    }
    if (const auto initial = declared.take("initial")) {
      field.initial = read_json(*initial);
    }
    declared.finish();
    flow_.state.push_back(std::move(field));
  }

  bool check_field_name(const toml_member& member, const std::string& path) {
    if (!is_field_name(member.key)) {
      sink_.error(member.at, path, "'" + member.key + "' cannot be the name of a field", std::string{field_rule});
      return false;
    }
    return true;
  }

  void parse_steps(toml_reader& file) {
    static constexpr std::string_view form = "write [[step]] on a line of its own, and the step's keys below";
    const auto value = file.require("step", "a workflow has at least one step: " + std::string{form});
    if (!value) {
      return;
    }
    const auto* list = value->node.as<toml_list>();
    if (list == nullptr) {
      value->refuse("must be a list of tables; this is " + std::string{kind_name(value->node)}, std::string{form});
      return;
    }
    workflow_parts parts{source_, sink_, out_.positions, prompts_, retry_, workflows_, of_others_};
    for (std::size_t i = 0; i < list->size(); ++i) {
      const toml_value_ref item{(*list)[i], "step[" + std::to_string(i) + ']', sink_};
      const auto* table = read_table(item);
      // A step that is none keeps its number, so that paths of the others stay right.
      flow_.steps.push_back(table == nullptr ? step{} : parse_step(*table, item.node.begin, i, parts));
    }
    if (list->empty()) {
      value->refuse("is empty: a workflow has at least one step", std::string{form});
    }
  }

  loaded_workflow finish() {
    if (flow_.start.empty() && !out_.positions.contains("start") && !flow_.steps.empty()) {
      flow_.start = flow_.steps.front().id;
    }
    const std::string tables = prompts_.inlined_table() + workflows_.inlined_table();
    if (!tables.empty()) {
      flow_.source += (flow_.source.ends_with('\n') ? "" : "\n") + tables;
    }
    flow_.hash = "sha256:" + sha256_hex(flow_.source);
    out_.problems = sink_.take();
    std::ranges::move(of_others_, std::back_inserter(out_.problems));
    sort_by_place(out_.problems);
    out_.draft = std::make_shared<const workflow>(std::move(flow_));
    out_.flow = has_errors(out_.problems) ? nullptr : out_.draft;
    return std::move(out_);
  }

  std::string_view source_;
  problem_sink sink_;
  prompt_library prompts_;
  retry_policy retry_;
  workflow_library workflows_;
  std::vector<problem> of_others_;
  workflow flow_;
  loaded_workflow out_;
};

}  // namespace

loaded_workflow parse_workflow_in(std::string_view text,
                                  const std::string& file_name,
                                  const std::string& folder,
                                  file_reading reading) {
  const auto document = parse_toml(text, file_name, error_code::invalid_workflow);
  if (document.fault) {
    loaded_workflow refused;
    refused.problems.push_back(*document.fault);
    return refused;
  }
  return workflow_parser{text, file_name, folder, std::move(reading)}.parse(document.root);
}

loaded_workflow parse_workflow(std::string_view text,
                               const std::string& file_name,
                               const std::string& folder,
                               const retry_policy& retry) {
  int files_left = files_max;
  return parse_workflow_in(text, file_name, folder, {{file_name}, &files_left, retry});
}

loaded_workflow load_workflow(const std::string& path) {
  const auto content = read_file_text(path);
  if (!content.text) {
    loaded_workflow refused;
    refused.problems.push_back({problem::severity::error,
                                error_code::invalid_workflow,
                                {path, 0, 0},
                                {},
                                "the workflow cannot be read: " + content.why,
                                content.is_missing ? "check the path; a workflow is a TOML file" : ""});
    return refused;
  }
  int files_left = files_max;
  return parse_workflow_in(*content.text,
                           path,
                           std::filesystem::path{path}.parent_path().string(),
                           {{file_identity(path)}, &files_left, {}});
}

}  // namespace troupe
