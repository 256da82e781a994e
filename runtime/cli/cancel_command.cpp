// troupe cancel
#include "messages/base/time.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/awaited_end.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/database_owner.hpp"
#include "runtime/cli/pinned_submission.hpp"
#include "runtime/cli/run_watch.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/json/run_json.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/terminal.hpp"
#include "runtime/short_ownership.hpp"
#include "storage/lease.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr milliseconds look_up_every{250};
constexpr milliseconds beyond_kill_grace{30'000};

/// Takes the run over and ends it before any of its tasks has begun anew.
result<run_view> take_over_and_cancel(const settings_ptr& values, submission what) {
  const auto waiting = signal_watch::of({});
  if (!waiting) {
    return waiting.error();
  }
  start_log(values->log, [](std::string_view line) { write_all(standard_error, line); });
  auto running = take_when_free([&] { return node::start({.config = values, .functions = {}, .faults = nullptr}); });
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

/// The rows of one run, by one session for as long as it serves.
class watched_rows {
 public:
  watched_rows(const settings& values, run_id run) : values_(values), run_(std::move(run)) {}

  result<run_view> look() {
    return read<run_view>([&](read_session& stored) { return stored.find_run(run_); });
  }

  std::vector<std::string> under_way() {
    const auto tasks = read<std::vector<task_view>>([&](read_session& stored) { return stored.list_tasks(run_); });
    std::vector<std::string> names;
    for (const auto& task : tasks ? *tasks : std::vector<task_view>{}) {
      if (task.state == task_state::running || task.state == task_state::validating) {
        names.push_back(task.step.str() + '/' + task.agent.str());
      }
    }
    return names;
  }

 private:
  // After an error the next question begins with a session of its own.
  template <class Answer, class Ask>
  result<Answer> read(Ask ask) {
    if (!stored_) {
      auto opened = open_stored(values_);
      if (!opened) {
        return opened.error();
      }
      stored_ = *std::move(opened);
    }
    auto answer = ask(*stored_);
    if (!answer) {
      stored_.reset();
    }
    return answer;
  }

  const settings& values_;
  run_id run_;
  std::unique_ptr<read_session> stored_;
};

/// None: nobody carries runs out in this database.
std::optional<result<run_view>> cancel_elsewhere(context& with, const cancel_run& what, milliseconds patience) {
  const auto& database = with.settings()->storage.path;
  const auto asked = ask_cancel(database, what);
  if (!asked) {
    return std::nullopt;
  }
  if (!*asked) {
    return result<run_view>{asked->error()};
  }
  with.note(what.at_once ? "killing what still runs" : "cancelling: tasks are asked to stop; --now kills them");
  watched_rows rows{*with.settings(), what.run};
  end_ports ports;
  ports.has_owner = [&] { return is_lease_held(database); };
  ports.look = [&] { return rows.look(); };
  ports.under_way = [&] { return rows.under_way(); };
  ports.ask_again = [&] { [[maybe_unused]] const auto answer = ask_cancel(database, what); };
  ports.tell = [&](const std::string& line) { with.note(line); };
  ports.now = [] { return std::chrono::steady_clock::now(); };
  ports.sleep = [](milliseconds length) { std::this_thread::sleep_for(length); };
  return await_end(what.run, patience, ports);
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
  std::optional<std::string> timeout;
};

/// How long another process has for the end.
result<milliseconds> patience_of(const settings& values, const cancel_options& options) {
  if (!options.timeout) {
    return beyond_kill_grace + (options.now ? milliseconds{0} : values.runtime.kill_grace);
  }
  const auto length = parse_duration(*options.timeout);
  return length ? result<milliseconds>{*length}
                : result<milliseconds>{error{error_code::invalid_input,
                                             "'" + *options.timeout + "' is no duration for --timeout",
                                             "for one: 30s, 5m, 1h"}};
}

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
  const auto patience = patience_of(*with.settings(), options);
  if (!patience) {
    return refuse(with, patience.error());
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
  const auto elsewhere = cancel_elsewhere(with, {run, options.now}, *patience);
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
           "the run has ended, or after --timeout: then the order stands, and the run ends without it. Of a run that "
           "nobody carries out, nothing begins anew.",
       .examples = {"troupe cancel last", "troupe cancel r-0k2j --now", "troupe cancel r-0k2j --timeout 5m"}});
  add_run_argument(command, options->run);
  add_flag(command, "--now", options->now, "kill its tasks at once, as with a second Ctrl-C");
  add_text(command, "--timeout", options->timeout, "DURATION", "wait so long for its end [runtime.kill_grace and 30s]");
  tree.on(command, [options](context& with) { return cancel(with, *options); });
}

}  // namespace troupe
