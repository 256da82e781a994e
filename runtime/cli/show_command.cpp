// troupe show
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/report.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/run_json.hpp"

#include <memory>

namespace troupe {
namespace {

exit_code print(context& with, const stored_run& stored) {
  output& out = with.out();
  const report_look look{.look = out.look(), .columns = out.width(), .whole = with.options().verbose};
  if (with.options().json) {
    with.print_json(run_json(stored.run, stored.tasks, stored.verdicts));
  } else if (with.options().quiet) {
    out.write(result_text(stored, look));
  } else {
    out.write(run_details(stored, look));
  }
  return exit_code::completed;
}

exit_code show(context& with, const std::string& text) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return refuse(with, stored.error());
  }
  const auto run = find_run_id(**stored, text);
  if (!run) {
    return refuse(with, run.error());
  }
  const auto loaded = load_run(**stored, *run);
  return loaded ? print(with, *loaded) : refuse(with, loaded.error(), {.run = *run, .step = {}});
}

}  // namespace

void add_show(command_tree& tree) {
  auto run = std::make_shared<std::string>();
  CLI::App& command =
      tree.add(tree.root(),
               {.name = "show",
                .summary = "tell all about one run: its tasks, verdicts, error and result",
                .details = "With -q the result alone; with -v every step, every element, and what was not agreed on.",
                .examples = {"troupe show last", "troupe show r-0k2j --json"}});
  add_run_argument(command, *run);
  tree.on(command, [run](context& with) { return show(with, *run); });
}

}  // namespace troupe
