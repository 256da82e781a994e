// troupe output
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/output_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/indented.hpp"
#include "runtime/json/json_writer.hpp"

#include <memory>

namespace troupe {
namespace {

struct output_options {
  std::string run;
  std::string step;
  std::optional<std::string> agent;
};

/// What the agent printed; of a function, which prints nothing, what it gave.
std::string printed_by(const output_view& printed) {
  if (printed.standard_output.empty() && printed.task.value) {
    return indented(printed.task.value->str()) + '\n';
  }
  return printed.standard_output;
}

exit_code print(context& with, const run_id& run, const std::vector<output_view>& outputs) {
  output& out = with.out();
  if (with.options().json) {
    list_writer list;
    for (const output_view& each : outputs) {
      list.raw(output_json(each));
    }
    with.print_json(object_writer{}.text("run", run.str()).raw("outputs", list.str()).str());
    return exit_code::completed;
  }
  const bool headings = outputs.size() > 1 && !with.options().quiet;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (headings) {
      out.line((i == 0 ? "" : "\n") + output_heading(outputs[i].task, out.look()));
    }
    write_bytes(out, printed_by(outputs[i]));
  }
  return exit_code::completed;
}

exit_code show_output(context& with, const output_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return refuse(with, stored.error());
  }
  const auto run = find_run_id(**stored, options.run);
  if (!run) {
    return refuse(with, run.error());
  }
  const auto agent = options.agent ? std::optional{agent_name{*options.agent}} : std::nullopt;
  const auto outputs = (*stored)->find_output(*run, step_id{options.step}, agent);
  if (!outputs) {
    return refuse(with, outputs.error(), {.run = *run, .step = step_id{options.step}});
  }
  return print(with, *run, *outputs);
}

}  // namespace

void add_output(command_tree& tree) {
  auto options = std::make_shared<output_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "output",
       .summary = "print what the agents of a step printed, byte for byte",
       .details =
           "The latest attempt of each agent, from the last superstep in which the step ran. Several agents have "
           "headings between them, with -q none. What they wrote to stderr: troupe logs RUN STEP --stderr.",
       .examples = {
           "troupe output last plan", "troupe output last plan claude > plan.md", "troupe output last plan --json"}});
  add_run_argument(command, options->run);
  add_argument(command, "STEP", options->step, "a step of the run");
  add_argument(command, "AGENT", options->agent, "one of its agents [all]");
  tree.on(command, [options](context& with) { return show_output(with, *options); });
}

}  // namespace troupe
