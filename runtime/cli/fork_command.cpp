// troupe fork
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/execution.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/forking.hpp"
#include "runtime/json/run_json.hpp"

#include <memory>

namespace troupe {
namespace {

struct fork_options {
  std::string run;
  std::int64_t at = -1;
  std::optional<std::string> id;
  bool no_run = false;
  bool strict = false;
};

std::optional<error> check(const fork_options& options) {
  if (options.at < 0) {
    return error{.code = error_code::invalid_input,
                 .message = "--at is missing: the superstep whose state the new run begins with",
                 .hint = "troupe fork RUN --at 3; 0 is the beginning, troupe show RUN lists the supersteps, under NO"};
  }
  return options.id ? check_new_id(*options.id) : std::nullopt;
}

/// Reads and lets go of the database before somebody has to write to it.
result<run_id> create(const settings& values, const fork_options& options) {
  const auto of = [&]() -> result<run_id> {
    const auto stored = open_stored(values);
    return stored ? find_run_id(**stored, options.run) : stored.error();
  }();
  if (!of) {
    return of.error();
  }
  return fork_run(storage_of(values),
                  {.of = *of, .at = superstep_no{options.at}, .run = run_id{options.id.value_or("")}});
}

exit_code tell(context& with, const run_id& run) {
  const auto stored = open_stored(*with.settings());
  const auto view = stored ? (*stored)->find_run(run) : result<run_view>{stored.error()};
  if (!view) {
    return refuse(with, view.error(), {.run = run, .step = {}});
  }
  if (with.options().json) {
    with.print_json(run_json(*view));
  } else {
    with.out().line(run.str());
    with.note("go on with: troupe resume " + run.str());
  }
  return exit_code::completed;
}

exit_code fork(context& with, const fork_options& options) {
  if (const auto why = check(options)) {
    return refuse(with, *why);
  }
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto made = create(*with.settings(), options);
  if (!made) {
    return refuse(with, made.error());
  }
  if (options.no_run) {
    return tell(with, *made);
  }
  with.note("run " + made->str() + " begins after superstep " + std::to_string(options.at));
  submission what;
  what.id = *made;
  return execute(with, std::move(what), {.strict = options.strict, .one_line = false});
}

}  // namespace

void add_fork(command_tree& tree) {
  auto options = std::make_shared<fork_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "fork",
       .summary = "carry a run out anew from one of its supersteps on, as a run of its own",
       .details =
           "The new run has the workflow, the configuration and the inputs of the other one, the state after the "
           "superstep, and the steps that followed; what was done before is not done again. Gates that waited ask "
           "again. Limits begin anew. The other run stays as it is. `troupe diff` tells where the two part.",
       .examples = {"troupe fork r-0k2j --at 3",
                    "troupe fork last --at 0 --run-id again",
                    "troupe fork r-0k2j --at 7 --no-run"}});
  add_run_argument(command, options->run);
  add_number(command, "--at", options->at, 0, "SUPERSTEP", "the superstep to begin after; 0 is the beginning");
  add_text(command, "--run-id", options->id, "ID", "name of the new run [made of the time]");
  add_flag(command, "--no-run", options->no_run, "create it paused, print its id, and carry nothing out");
  add_flag(command, "--strict", options->strict, "exit with 3 when an agent was missing from a result");
  tree.on(command, [options](context& with) { return fork(with, *options); });
}

}  // namespace troupe
