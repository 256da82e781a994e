// troupe resume
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/execution.hpp"
#include "runtime/cli/pinned_submission.hpp"
#include "runtime/cli/stored_runs.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace troupe {
namespace {

struct resume_options {
  std::string run;
  bool all = false;
  bool strict = false;
};

/// Who is asked for. What they are is read when it is their turn: they may be thousands.
result<std::vector<run_id>> wanted(const settings& values, const resume_options& options) {
  auto stored = open_stored(values);
  if (!stored) {
    return stored.error();
  }
  if (options.all) {
    return (*stored)->list_unfinished(run_scope::roots);
  }
  auto found = find_run_id(**stored, options.run);
  if (!found) {
    return found.error();
  }
  return std::vector{*std::move(found)};
}

/// Read, and let go of, before the node needs the database.
result<submission> read_submission(const settings& values, const run_id& run) {
  auto stored = open_stored(values);
  return stored ? pinned_submission(**stored, run) : stored.error();
}

bool waits_for_people(const settings& values, const run_id& run) {
  auto stored = open_stored(values);
  return stored && waits_for_people(**stored, run);
}

/// Nobody has decided anything that the run could go on with, and nothing has expired: to take it up would add a pause to
/// its journal, and no more. What its children wait for, only they know.
bool waits_as_before(const settings& values, const run_id& run) {
  auto stored = open_stored(values);
  if (!stored || !waits_for_people(**stored, run)) {
    return false;
  }
  const auto view = (*stored)->find_run(run);
  const auto gates = (*stored)->list_gates(run);
  const auto now = std::chrono::system_clock::now();
  return view && view->children == 0 && gates && std::ranges::all_of(*gates, [&](const gate_view& gate) {
           const bool is_due = gate.expires_at && *gate.expires_at <= now;
           return gate.taken_at || (gate.state == gate_state::open && !is_due);
         });
}

exit_code carry_on(context& with, const run_id& run, const execution_options& options) {
  auto what = read_submission(*with.settings(), run);
  return what ? execute(with, *std::move(what), options) : refuse(with, what.error(), {.run = run, .step = {}});
}

exit_code resume(context& with, const resume_options& options) {
  if (options.all == !options.run.empty()) {
    return refuse(with,
                  {.code = error_code::invalid_input,
                   .message = options.all ? "RUN and --all are two different things" : "RUN is missing",
                   .hint = "troupe resume last, or troupe resume --all"});
  }
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto all = wanted(*with.settings(), options);
  if (!all) {
    return refuse(with, all.error());
  }
  if (all->empty()) {
    with.note("no run is unfinished");
  }
  exit_code worst = exit_code::completed;
  const auto values = with.settings();
  for (const run_id& run : *all) {
    const execution_options how{.strict = options.strict, .one_line = options.all};
    const bool is_idle = options.all && waits_as_before(*values, run);
    const exit_code code = is_idle ? tell_as_it_stands(with, run, how) : carry_on(with, run, how);
    worst = worst == exit_code::completed ? code : worst;
    // Who waits for a person holds up nobody else; any other pause was asked for.
    const bool holds_up = code == exit_code::paused && !waits_for_people(*values, run);
    if (code == exit_code::cancelled || holds_up || code == exit_code::lease_held) {
      break;
    }
  }
  return worst;
}

}  // namespace

void add_resume(command_tree& tree) {
  auto options = std::make_shared<resume_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "resume",
       .summary = "go on with a run that was paused, or whose process died",
       .details =
           "The run keeps the workflow and the configuration that it was started with. What is committed is not "
           "done again. A run that still waits for a decision says so, and is paused again (exit code 4). With "
           "--all one run after the other, also behind one that waits; the exit code is the first that is not 0. "
           "A child run goes on with its parent.",
       .examples = {"troupe resume last", "troupe resume r-0k2j", "troupe resume --all --json"}});
  add_run_argument(command, options->run, false);
  add_flag(command, "--all", options->all, "every run that is unfinished, the oldest first");
  add_flag(command, "--strict", options->strict, "exit with 3 when an agent was missing from a result");
  tree.on(command, [options](context& with) { return resume(with, *options); });
}

}  // namespace troupe
