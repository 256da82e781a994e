// troupe show
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/report.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/cli/tree_text.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/json/run_json.hpp"

#include <chrono>
#include <memory>

namespace troupe {
namespace {

exit_code print(context& with, const stored_run& stored) {
  output& out = with.out();
  const report_look look{.look = out.look(),
                         .columns = out.width(),
                         .whole = with.options().verbose,
                         .now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
  if (with.options().json) {
    with.print_json(run_json(stored.run, stored.tasks, stored.verdicts, known_gates(stored), stored.children));
  } else if (with.options().quiet) {
    out.write(result_text(stored, look));
  } else {
    out.write(run_details(stored, look));
  }
  return exit_code::completed;
}

struct show_options {
  std::string run;
  bool tree = false;
};

/// The branch of one run in the tree of the process that carries it out.
exit_code print_tree(context& with, const run_view& run) {
  const error_place place{.run = run.run, .step = {}};
  const auto live = ask_tree(with.settings()->storage.path);
  if (!live) {
    return refuse(with, live.error(), place);
  }
  const child_view* const branch = find_child(live->tree.children, "run " + run.run.str());
  if (branch == nullptr) {
    return refuse(with,
                  {error_code::not_found,
                   "run " + run.run.str() + " is not being carried out: it is " + std::string{to_string(run.state)},
                   "troupe show RUN tells what is stored of it"},
                  place);
  }
  if (with.options().json) {
    with.print_json(child_json(*branch));
  } else {
    with.out().write(tree_text({branch, 1}, with.out().width(), with.out().look()));
  }
  return exit_code::completed;
}

exit_code show(context& with, const show_options& options) {
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
  if (options.tree) {
    const auto view = (*stored)->find_run(*run);
    return view ? print_tree(with, *view) : refuse(with, view.error(), {.run = *run, .step = {}});
  }
  const auto loaded = load_run(**stored, *run);
  return loaded ? print(with, *loaded) : refuse(with, loaded.error(), {.run = *run, .step = {}});
}

}  // namespace

void add_show(command_tree& tree) {
  const auto options = std::make_shared<show_options>();
  CLI::App& command =
      tree.add(tree.root(),
               {.name = "show",
                .summary = "tell all about one run: its tasks, verdicts, gates, error and result",
                .details = "With -q the result alone; with -v every step, every element, and what was not agreed on.",
                .examples = {"troupe show last", "troupe show r-0k2j --json", "troupe show last --tree"}});
  add_run_argument(command, options->run);
  add_flag(
      command,
      "--tree",
      options->tree,
      "the live actors of a run that is being carried out, from the process that does it: what each waits for, how "
      "often it was restarted, and the processes of its agents");
  tree.on(command, [options](context& with) { return show(with, *options); });
}

}  // namespace troupe
