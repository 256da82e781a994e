// troupe logs
#include "config/problem.hpp"
#include "config/workflow_file.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/event_line.hpp"
#include "runtime/cli/output_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/run_json.hpp"
#include "runtime/os/file_watch.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

namespace troupe {
namespace {

struct logs_options {
  std::string run;
  std::optional<std::string> step;
  std::int64_t since = 0;
  bool follow = false;
  bool standard_error = false;
};

constexpr std::int64_t page = 1'000;

/// Prints the events of one run in order, from where it stands.
class event_printer {
 public:
  /// The newest event is read whatever is asked for: it may be the end.
  event_printer(context& with, read_session& stored, const run_view& run, const logs_options& options)
      : with_(with),
        stored_(stored),
        run_(run.run),
        step_(options.step),
        after_(options.since),
        since_(std::min(options.since, std::max<std::int64_t>(run.last_seq.value() - 1, 0))) {}

  /// All that is there now; how many, whether they were printed or filtered.
  result<std::size_t> print_new() {
    std::size_t count = 0;
    for (;;) {
      const auto events = stored_.list_events(run_, since_, page);
      if (!events) {
        return events.error();
      }
      std::ranges::for_each(*events, [&](const event& each) { print(each); });
      count += events->size();
      if (static_cast<std::int64_t>(events->size()) < page) {
        return count;
      }
    }
  }

  bool run_is_over() const noexcept { return over_; }

 private:
  void print(const event& each) {
    since_ = each.seq;
    over_ = over_ || ends_run(each.kind);
    if (each.seq <= after_ || (step_ && (!each.step || each.step->str() != *step_))) {
      return;
    }
    output& out = with_.out();
    out.line(with_.options().json ? event_json(each) : event_line(each, out.width(), out.look()));
  }

  context& with_;
  read_session& stored_;
  run_id run_;
  std::optional<std::string> step_;
  event_seq after_;  ///< Printed are those behind it.
  event_seq since_;  ///< The last one that was read.
  bool over_ = false;
};

/// A writer's last change of the log file comes before its commit can be read: look again, soon at first, then each
/// second, which also finds what the watch cannot see.
milliseconds pause_after(std::size_t looks_without_news) noexcept {
  constexpr std::array<milliseconds, 4> pauses{
      milliseconds{3}, milliseconds{20}, milliseconds{100}, milliseconds{1'000}};
  return pauses.at(std::min(looks_without_news, pauses.size() - 1));
}

std::optional<error> follow(context& with, event_printer& printer, const std::filesystem::path& database) {
  auto changes = file_watch::on(database.parent_path(), database.filename().string());
  if (!changes) {
    return changes.error();
  }
  std::size_t without_news = 0;
  while (!printer.run_is_over() && !with.out().reader_gone()) {
    const auto count = printer.print_new();
    if (!count) {
      return count.error();
    }
    without_news = *count > 0 ? 0 : without_news + 1;
    if (!printer.run_is_over() && changes->wait(pause_after(without_news))) {
      without_news = 0;
    }
  }
  return std::nullopt;
}

/// The steps of the run in order, or the one that is asked for.
result<std::vector<step_id>> steps_of(read_session& stored, const run_id& run, const logs_options& options) {
  if (options.step) {
    return std::vector{step_id{*options.step}};
  }
  const auto tasks = stored.list_tasks(run);
  if (!tasks) {
    return tasks.error();
  }
  std::vector<step_id> steps;
  for (const task_view& each : *tasks) {
    if (std::ranges::find(steps, each.step) == steps.end()) {
      steps.push_back(each.step);
    }
  }
  return steps;
}

void print_standard_error(context& with, const output_view& printed) {
  output& out = with.out();
  if (with.options().json) {
    out.line(output_json(printed));
  } else if (!printed.standard_error.empty()) {
    if (!with.options().quiet) {
      out.line(output_heading(printed.task, out.look()));
    }
    write_bytes(out, printed.standard_error);
  }
}

std::optional<error> print_standard_errors(context& with,
                                           read_session& stored,
                                           const run_id& run,
                                           const logs_options& options) {
  const auto steps = steps_of(stored, run, options);
  if (!steps) {
    return steps.error();
  }
  for (const step_id& step : *steps) {
    const auto outputs = stored.find_output(run, step);
    if (!outputs) {
      return outputs.error();
    }
    std::ranges::for_each(*outputs, [&](const output_view& each) { print_standard_error(with, each); });
  }
  return std::nullopt;
}

std::optional<error> print_logs(context& with, read_session& stored, const run_id& run, const logs_options& options) {
  if (options.standard_error) {
    return print_standard_errors(with, stored, run, options);
  }
  const auto view = stored.find_run(run);
  if (!view) {
    return view.error();
  }
  event_printer printer{with, stored, *view, options};
  if (options.follow) {
    return follow(with, printer, with.settings()->storage.path);
  }
  const auto printed = printer.print_new();
  return printed ? std::nullopt : std::optional{printed.error()};
}

/// A step that the run's workflow does not have tells nothing, however long one waits.
std::optional<error> check_step(read_session& stored, const run_id& run, const logs_options& options) {
  const auto pinned = options.step ? stored.find_pinned(run) : result<pinned_run>{error{}};
  const auto loaded = pinned ? parse_workflow(pinned->workflow_source, pinned->run.workflow, "") : loaded_workflow{};
  if (loaded.flow == nullptr || find_step(*loaded.flow, step_id{*options.step}) != nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> steps;
  std::ranges::transform(loaded.flow->steps, std::back_inserter(steps), [](const step& each) { return each.id.str(); });
  return error{.code = error_code::not_found,
               .message = "run " + run.str() + " has no step '" + *options.step + "'",
               .hint = suggestion(*options.step, steps)};
}

exit_code logs(context& with, const logs_options& options) {
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
  if (const auto why = check_step(**stored, *run, options)) {
    return refuse(with, *why, {.run = *run, .step = {}});
  }
  const auto why = print_logs(with, **stored, *run, options);
  return why ? refuse(with, *why, {.run = *run, .step = {}}) : exit_code::completed;
}

}  // namespace

void add_logs(command_tree& tree) {
  auto options = std::make_shared<logs_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "logs",
       .summary = "print what happened in a run, one event on each line",
       .details =
           "Also of a run that another process carries out. With --json each line is one event with all its data.",
       .examples = {"troupe logs last",
                    "troupe logs last --follow",
                    "troupe logs last plan --since 12 --json",
                    "troupe logs last --stderr"}});
  add_run_argument(command, options->run);
  add_argument(command, "STEP", options->step, "only events of this step");
  CLI::Option& follows = add_flag(command, "-f,--follow", options->follow, "go on until the run ends");
  CLI::Option& since = add_number(command, "--since", options->since, 0, "SEQ", "only events after this number");
  add_flag(command, "--stderr", options->standard_error, "print what agents wrote to stderr, in place of events")
      .excludes(&follows)
      ->excludes(&since);
  tree.on(command, [options](context& with) { return logs(with, *options); });
}

}  // namespace troupe
