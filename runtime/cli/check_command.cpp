// troupe check
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/workflow_loading.hpp"
#include "runtime/json/json_writer.hpp"

#include <memory>

namespace troupe {
namespace {

std::string json_of(const checked_workflow& checked) {
  const workflow& flow = *checked.flow;
  list_writer agents;
  for (const std::string& each : agents_of(flow)) {
    agents.text(each);
  }
  return object_writer{}
      .text("workflow", flow.name)
      .number("version", flow.version)
      .text("hash", flow.hash)
      .number("steps", static_cast<std::int64_t>(flow.steps.size()))
      .raw("agents", agents.str())
      .raw("problems", problems_json(checked.problems))
      .str();
}

std::string summary_of(const checked_workflow& checked, const style& look) {
  const workflow& flow = *checked.flow;
  const auto count = [](std::size_t number) { return static_cast<std::int64_t>(number); };
  std::string text = look.mark(sign::good) + ' ' + flow.name + ": ";
  text += counted(count(flow.steps.size()), "step", "steps");
  if (const std::size_t agents = agents_of(flow).size(); agents > 0) {
    text += ", " + counted(count(agents), "agent", "agents");
  }
  if (!checked.problems.empty()) {
    text += ", " + counted(count(checked.problems.size()), "warning", "warnings");
  }
  return text;
}

exit_code check(context& with, const std::string& path) {
  if (const auto refused = with.load_without_database()) {
    return refuse(with, *refused);
  }
  const checked_workflow checked = load_checked_workflow(with, path);
  if (checked.flow == nullptr) {
    return refuse(with, refusal_of(checked));
  }
  if (with.options().json) {
    with.print_json(json_of(checked));
    return exit_code::completed;
  }
  with.print(checked.problems);
  if (!with.options().quiet) {
    with.out().line(summary_of(checked, with.out().look()));
  }
  return exit_code::completed;
}

}  // namespace

void add_check(command_tree& tree) {
  auto path = std::make_shared<std::string>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "check",
       .summary = "look for mistakes in a workflow, and run nothing",
       .details = "Every mistake is told with its file, line and column. Agents are those of the configuration.",
       .examples = {"troupe check review.toml", "troupe check review.toml --config review.config.toml --json"}});
  add_workflow_argument(command, *path);
  tree.on(command, [path](context& with) { return check(with, *path); });
}

}  // namespace troupe
