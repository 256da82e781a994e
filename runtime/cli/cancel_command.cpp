// troupe cancel
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/database_owner.hpp"
#include "runtime/cli/pinned_submission.hpp"
#include "runtime/cli/run_watch.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/json/run_json.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/terminal.hpp"
#include "storage/lease.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

namespace troupe {
namespace {

constexpr milliseconds look_up_every{250};
constexpr milliseconds look_at_rows_every{20};

/// Takes the run over and ends it before any of its tasks has begun anew.
result<run_view> take_over_and_cancel(const settings_ptr& values, submission what) {
  const auto waiting = signal_watch::of({});
  if (!waiting) {
    return waiting.error();
  }
  start_log(values->log, [](std::string_view line) { write_all(standard_error, line); });
  auto running = node::start({.config = values, .functions = {}, .faults = nullptr, .cassettes = {}});
  if (!running) {
    return running.error().code == error_code::lease_held ? with_owner(running.error(), *values) : running.error();
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

/// The end that another process has been asked for, as its rows tell it. None: that process has ended before.
std::optional<result<run_view>> await_end(const settings& values, const run_id& run) {
  for (;;) {
    const bool has_owner = is_lease_held(values.storage.path);  // before the rows, which its end comes after
    auto stored = open_stored(values);
    auto view = stored ? (*stored)->find_run(run) : result<run_view>{stored.error()};
    if (!view || is_final(view->state)) {
      return view;
    }
    if (!has_owner) {
      return std::nullopt;
    }
    std::this_thread::sleep_for(look_at_rows_every);
  }
}

/// None: nobody carries runs out in this database.
std::optional<result<run_view>> cancel_elsewhere(context& with, const run_id& run, bool at_once) {
  const auto asked = ask_cancel(with.settings()->storage.path, {run, at_once});
  if (!asked) {
    return std::nullopt;
  }
  if (!*asked) {
    return result<run_view>{asked->error()};
  }
  with.note(at_once ? "killing what still runs" : "cancelling: tasks are asked to stop; --now kills them");
  return await_end(*with.settings(), run);
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

struct cancel_options {
  std::string run;
  bool now = false;
};

exit_code refuse_ended(context& with, const run_view& view) {
  return refuse(with,
                {.code = error_code::invalid_input,
                 .message = "run " + view.run.str() + " has ended: " + std::string{to_string(view.state)},
                 .hint = "only a run that is unfinished can be cancelled"},
                {.run = view.run, .step = {}});
}

exit_code cancel(context& with, const cancel_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto found = find_unfinished(*with.settings(), options.run);
  if (!found) {
    return refuse(with, found.error());
  }
  const run_id run = found->view.run;
  if (found->view.state == run_state::cancelled) {
    return tell(with, found->view);
  }
  if (is_final(found->view.state)) {
    return refuse_ended(with, found->view);
  }
  const auto elsewhere = cancel_elsewhere(with, run, options.now);
  const auto ended = elsewhere ? *elsewhere : take_over_and_cancel(with.settings(), std::move(found->what));
  if (!ended) {
    return refuse(with, ended.error(), {.run = run, .step = {}});
  }
  return ended->state == run_state::cancelled ? tell(with, *ended) : refuse_ended(with, *ended);
}

}  // namespace

void add_cancel(command_tree& tree) {
  const auto options = std::make_shared<cancel_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "cancel",
       .summary = "end a run that is unfinished",
       .details =
           "The process that carries it out stops its tasks, as with Ctrl-C there, and this command returns when "
           "the run has ended. Of a run that nobody carries out, nothing begins anew.",
       .examples = {"troupe cancel last", "troupe cancel r-0k2j --now"}});
  add_run_argument(command, options->run);
  add_flag(command, "--now", options->now, "kill its tasks at once, as with a second Ctrl-C");
  tree.on(command, [options](context& with) { return cancel(with, *options); });
}

}  // namespace troupe
