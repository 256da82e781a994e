// troupe cancel
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/pinned_submission.hpp"
#include "runtime/cli/run_watch.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/run_json.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/terminal.hpp"
#include "storage/check.hpp"

#include <algorithm>
#include <memory>

namespace troupe {
namespace {

constexpr milliseconds look_up_every{250};

/// A run belongs to the process that carries it out: who that is, and how to tell it.
error with_owner(error held, const settings& values, const run_id& run) {
  const auto info = describe_database(storage_of(values));
  if (info && info->last_holder) {
    const std::string pid = std::to_string(info->last_holder->pid);
    held.message = "run " + run.str() + " is carried out by process " + pid + " on " + info->last_holder->host;
    held.hint = "press Ctrl-C there, or: kill -INT " + pid;
  } else {
    held.hint = "press Ctrl-C in the process that carries it out";
  }
  return held;
}

/// Takes the run over and ends it before any of its tasks has begun anew.
result<run_view> take_over_and_cancel(const settings_ptr& values, submission what) {
  const auto waiting = signal_watch::of({});
  if (!waiting) {
    return waiting.error();
  }
  start_log(values->log, [](std::string_view line) { write_all(standard_error, line); });
  auto running = node::start({.config = values, .functions = {}, .faults = nullptr});
  if (!running) {
    return running.error();
  }
  const auto taken = (*running)->submit(std::move(what));
  if (!taken) {
    return taken.error();
  }
  (*running)->cancel(taken->run, true);
  const auto news = std::make_shared<run_watch>(*waiting);
  (*running)->subscribe(taken->run, event_seq{}, news->listener());
  for (;;) {
    const run_news came = news->take();
    if (came.stopped) {
      return *came.stopped;
    }
    if (auto fatal = (*running)->fatal()) {
      return *std::move(fatal);
    }
    if (std::ranges::any_of(came.events, [](const event& each) { return ends_run(each.kind); })) {
      return (*running)->find_run(taken->run);
    }
    [[maybe_unused]] const auto none = waiting->wait(look_up_every);
  }
}

exit_code tell(context& with, const run_view& run) {
  if (with.options().json) {
    with.print_json(run_json(run));
  } else {
    with.note("run " + run.run.str() + " is " + std::string{to_string(run.state)});
  }
  return exit_code::completed;
}

struct unfinished_run {
  run_view view;
  submission what;
};

/// Read and let go of before the node needs the database.
result<unfinished_run> find_unfinished(const settings& values, const std::string& text) {
  auto stored = open_stored(values);
  if (!stored) {
    return stored.error();
  }
  const auto run = find_run_id(**stored, text);
  if (!run) {
    return run.error();
  }
  auto view = (*stored)->find_run(*run);
  if (!view) {
    return view.error();
  }
  if (is_final(view->state)) {
    return unfinished_run{.view = *std::move(view), .what = {}};
  }
  auto what = pinned_submission(**stored, *run);
  if (!what) {
    return what.error();
  }
  return unfinished_run{.view = *std::move(view), .what = *std::move(what)};
}

exit_code cancel(context& with, const std::string& text) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto found = find_unfinished(*with.settings(), text);
  if (!found) {
    return refuse(with, found.error());
  }
  const run_id run = found->view.run;
  if (found->view.state == run_state::cancelled) {
    return tell(with, found->view);
  }
  if (is_final(found->view.state)) {
    return refuse(with,
                  {.code = error_code::invalid_input,
                   .message = "run " + run.str() + " has ended: " + std::string{to_string(found->view.state)},
                   .hint = "only a run that is unfinished can be cancelled"},
                  {.run = run, .step = {}});
  }
  const auto ended = take_over_and_cancel(with.settings(), std::move(found->what));
  if (ended) {
    return tell(with, *ended);
  }
  const bool held = ended.error().code == error_code::lease_held;
  return refuse(
      with, held ? with_owner(ended.error(), *with.settings(), run) : ended.error(), {.run = run, .step = {}});
}

}  // namespace

void add_cancel(command_tree& tree) {
  auto run = std::make_shared<std::string>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "cancel",
       .summary = "end a run that is unfinished, and that no process carries out now",
       .details = "A run that is being carried out is cancelled where it was started, with Ctrl-C; this command says "
                  "where that is.",
       .examples = {"troupe cancel last", "troupe cancel r-0k2j"}});
  add_run_argument(command, *run);
  tree.on(command, [run](context& with) { return cancel(with, *run); });
}

}  // namespace troupe
