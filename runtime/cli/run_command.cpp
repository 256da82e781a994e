// troupe run
#include "config/workflow_inputs.hpp"
#include "runtime/cassettes/cassette_folder.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/execution.hpp"
#include "runtime/cli/run_inputs.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/cli/workflow_loading.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <variant>

namespace troupe {
namespace {

struct run_options {
  std::string workflow;
  std::vector<std::string> inputs;
  std::optional<std::string> input_file;
  std::optional<std::string> id;
  std::optional<std::string> subject;
  std::vector<std::string> agents;
  std::optional<std::string> record;
  std::optional<std::string> playback;
  bool strict = false;
};

std::optional<refusal> load_with_agents(context& with, const std::vector<std::string>& agents) {
  std::vector<std::string> assignments;
  for (const std::string& each : agents) {
    auto assignment = agent_assignment(each);
    if (!assignment) {
      return refusal{.what = assignment.error(), .where = {}, .problems = {}};
    }
    assignments.push_back(*std::move(assignment));
  }
  return with.load(assignments);
}

/// The values, or what is wrong with them: all of it.
std::variant<json_text, refusal> inputs_of(const workflow& flow, const run_options& options) {
  const auto given = read_inputs(options.inputs, options.input_file);
  if (!given) {
    return refusal{.what = given.error(), .where = {}, .problems = {}};
  }
  checked_inputs checked = check_inputs(flow, *given);
  if (auto why = first_error(checked.problems)) {
    return refusal{.what = *std::move(why), .where = {}, .problems = std::move(checked.problems)};
  }
  return std::move(checked.values);
}

/// A command for an agent that nobody asks is a slip of its name.
std::optional<error> check_agents(const workflow& flow, const std::vector<std::string>& given) {
  const auto asked = agents_of(flow);
  for (const std::string& each : given) {
    const std::string name = each.substr(0, each.find('='));
    if (!asked.contains(name)) {
      const std::vector<std::string> known{asked.begin(), asked.end()};
      return error{.code = error_code::invalid_input,
                   .message = "--agent " + name + ": no step of the workflow asks an agent of this name",
                   .hint = known.empty() ? "the workflow asks no agent" : suggestion(name, known)};
    }
  }
  return std::nullopt;
}

result<node_cassettes> cassettes_of(const run_options& options) {
  node_cassettes cassettes;
  if (options.record) {
    auto recorder = record_into(*options.record);
    if (!recorder) {
      return recorder.error();
    }
    cassettes.recorder = *std::move(recorder);
  }
  if (options.playback) {
    auto player = play_from(*options.playback);
    if (!player) {
      return player.error();
    }
    cassettes.player = *std::move(player);
    cassettes.played_from = std::filesystem::absolute(*options.playback).lexically_normal().string();
  }
  return cassettes;
}

exit_code run(context& with, const run_options& options) {
  if (options.id) {
    if (const auto why = check_new_id(*options.id)) {
      return refuse(with, *why);
    }
  }
  if (const auto refused = load_with_agents(with, options.agents)) {
    return refuse(with, *refused);
  }
  const checked_workflow checked = load_checked_workflow(with, options.workflow);
  if (checked.flow == nullptr) {
    return refuse(with, refusal_of(checked));
  }
  with.print(checked.problems);
  if (const auto why = check_agents(*checked.flow, options.agents)) {
    return refuse(with, *why);
  }
  auto inputs = inputs_of(*checked.flow, options);
  if (const auto* refused = std::get_if<refusal>(&inputs)) {
    return refuse(with, *refused);
  }
  auto cassettes = cassettes_of(options);
  if (!cassettes) {
    return refuse(with, cassettes.error());
  }
  submission what;
  what.flow = checked.flow;
  what.inputs = std::get<json_text>(std::move(inputs));
  what.subject = options.subject.value_or("");
  what.id = run_id{options.id.value_or("")};
  return execute(
      with, std::move(what), {.strict = options.strict, .one_line = false, .cassettes = *std::move(cassettes)});
}

}  // namespace

void add_run(command_tree& tree) {
  auto options = std::make_shared<run_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "run",
       .summary = "carry out a workflow to its end, and print what it came to",
       .details =
           "Progress goes to stderr, the result to stdout. Ctrl-C cancels the run, a second one at once; SIGTERM "
           "pauses it, and `troupe resume` goes on. With the id of a run that is there already, its result is "
           "printed, or it goes on. What --record keeps of the agents' answers, --playback gives in their place: no "
           "program is started and no network used, and a request that was not recorded fails with NOT_FOUND.",
       .examples = {"troupe run review.toml --input topic=parsers",
                    "troupe run review.toml --input 'files:=[\"a.cpp\", \"b.cpp\"]' --strict",
                    "troupe run review.toml --input-file inputs.json --subject SPEC-7 --json",
                    "troupe run review.toml --agent 'claude=claude -p --model opus'",
                    "troupe run review.toml --input topic=parsers --record tests/cassettes",
                    "troupe run review.toml --input topic=parsers --playback tests/cassettes"}});
  add_workflow_argument(command, options->workflow);
  add_texts(command, "--input", options->inputs, "K=V", "an input: K=V is a text, K:=V is JSON; may be repeated");
  add_text(
      command, "--input-file", options->input_file, value_kind::file, "inputs from a JSON or .toml file; - is stdin");
  add_text(command, "--run-id", options->id, "ID", "name of the run [made of the time]");
  add_text(command, "--subject", options->subject, "TEXT", "what the run is about [the workflow's name]");
  add_texts(command,
            "--agent",
            options->agents,
            "NAME=CMD",
            "the command of an agent, split into words as a shell would, without a shell; may be repeated");
  CLI::Option& record = add_text(command,
                                 "--record",
                                 options->record,
                                 value_kind::folder,
                                 "keep every answer of an agent in this folder, a file each");
  add_text(command, "--playback", options->playback, value_kind::folder, "answer from this folder; ask no agent")
      .excludes(&record);
  add_flag(command, "--strict", options->strict, "exit with 3 when an agent was missing from a result");
  tree.on(command, [options](context& with) { return run(with, *options); });
}

}  // namespace troupe
