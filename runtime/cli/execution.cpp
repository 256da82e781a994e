#include "runtime/cli/execution.hpp"

#include "config/pin.hpp"
#include "runtime/cassettes/cassette_folder.hpp"
#include "runtime/cli/event_line.hpp"
#include "runtime/cli/faults.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/progress_reporter.hpp"
#include "runtime/cli/report.hpp"
#include "runtime/cli/run_watch.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/run_json.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/terminal.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds look_up_every{250};  // At the clock of the display, and whether the node is well.

timestamp now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

void log_to_stderr(const context& with) {
  start_log(with.settings()->log, [](std::string_view line) { write_all(standard_error, line); });
}

/// From the first event to the last, on the main thread.
class watched_run {
 public:
  watched_run(context& with, node& running, const signal_watch& waiting)
      : with_(with), node_(running), waiting_(waiting), reporter_(with), news_(std::make_shared<run_watch>(waiting)) {
    start_log(with.settings()->log, [news = news_](std::string_view line) { news->log(line); });
  }

  watched_run(const watched_run&) = delete;
  watched_run& operator=(const watched_run&) = delete;

  ~watched_run() {
    if (stopping_.joinable()) {
      stopping_.join();
    }
    log_to_stderr(with_);
    for (const std::string& line : news_->take().log_lines) {
      with_.err().write(line);
    }
  }

  /// Why the run did not come to an end or a pause; nothing if it did.
  std::optional<error> watch(const run_id& run, event_seq known) {
    run_ = run;
    node_.subscribe(run, event_seq{}, news_->listener());
    while (!over_ && !why_ && !stopped_) {
      take_signal(waiting_.wait(look_up_every));
      take_news(known);
      reporter_.refresh(now());
    }
    take_news(known);
    reporter_.finish(now());
    return why_;
  }

 private:
  void take_news(event_seq known) {
    const run_news news = news_->take();
    reporter_.tell(news, known);
    over_ = over_ || std::ranges::any_of(news.events, [&](const event& each) {
              const bool pauses = each.kind == event_kind::run_paused && !pause_length(each);
              return ends_run(each.kind) || (pauses && each.seq > known);
            });
    if (news.stopped) {
      why_ = news.stopped;
    } else if (auto fatal = node_.fatal()) {
      why_ = std::move(fatal);
    }
  }

  void take_signal(std::optional<int> signal) {
    if (!signal) {
      return;
    }
    switch (*signal) {
      case SIGINT:
        cancel();
        break;
      case SIGTERM:
      case SIGHUP:
        pause();
        break;
      case SIGTSTP:
        reporter_.suspend();
        stop_until_continued();
        break;
      default:  // SIGWINCH
        reporter_.redraw(now());
    }
  }

  void cancel() {
    const bool again = std::exchange(cancelling_, true);
    node_.cancel(run_, again);
    reporter_.note(again ? "killing what still runs" : "cancelling: tasks are asked to stop; Ctrl-C again kills them");
  }

  /// The node waits for running tasks; signals and progress go on being looked at meanwhile.
  void pause() {
    if (std::exchange(pausing_, true)) {
      node_.stop(stop_mode::at_once);
      return;
    }
    reporter_.note("pausing: running tasks may end first; the same signal again stops them now");
    stopping_ = std::thread{[this] {
      node_.stop(stop_mode::drain);
      stopped_ = true;
      waiting_.wake();
    }};
  }

  context& with_;
  node& node_;
  const signal_watch& waiting_;
  progress_reporter reporter_;
  std::shared_ptr<run_watch> news_;
  run_id run_;
  bool over_ = false;
  bool cancelling_ = false;
  bool pausing_ = false;
  std::optional<error> why_;
  std::atomic<bool> stopped_ = false;
  std::thread stopping_;
};

exit_code tell_end(context& with, const stored_run& stored, const execution_options& options) {
  output& out = with.out();
  const report_look look{.look = out.look(), .columns = out.width(), .whole = with.options().verbose, .now = now()};
  const auto open = is_final(stored.run.state) ? std::vector<gate_view>{} : open_gates(stored);
  if (with.options().json) {
    const std::string document = open.empty() ? run_json(stored.run) : run_json(stored.run, open);
    options.one_line ? out.line(document) : with.print_json(document);
  } else if (with.options().quiet) {
    out.write(result_text(stored, look));
    if (stored.run.why) {  // an exit code alone says little
      with.err().line(with.err().look().paint(ink::red, "error:") + ' ' + failure_line(stored.run));
    }
  } else {
    out.write(run_report(stored, look));
  }
  if (!open.empty()) {
    with.note(counted(static_cast<std::int64_t>(open.size()), "decision is", "decisions are") +
              " waited for; afterwards go on with: troupe resume " + stored.root.str());
  } else if (!is_final(stored.run.state)) {
    with.note("go on with: troupe resume " + stored.root.str());
  } else if (stored.run.state == run_state::cancelled && stored.run.supersteps > 0) {
    with.note(
        "a cancelled run stays so (SIGTERM pauses one); from what it had done, another goes on with: troupe fork " +
        stored.run.run.str() + " --at " + std::to_string(stored.run.supersteps));
  }
  return exit_code_of(stored.run, options.strict);
}

exit_code tell_end(context& with, const run_id& run, const execution_options& options) {
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return refuse(with, stored.error(), {.run = run, .step = {}});
  }
  const auto loaded = load_run(**stored, run);
  if (!loaded) {
    return refuse(with, loaded.error(), {.run = run, .step = {}});
  }
  return tell_end(with, *loaded, options);
}

std::string figures_text(const std::string& whose, const start_figures& of) {
  const auto in_ms = [](std::chrono::microseconds length) {
    const auto tenths = std::to_string((length.count() + 50) / 100);
    return (tenths.size() > 1 ? tenths.substr(0, tenths.size() - 1) : "0") + '.' + tenths.back() + " ms";
  };
  return whose + std::to_string(of.starts) + ", p50 " + in_ms(of.p50) + ", p95 " + in_ms(of.p95);
}

/// `starts of claude: 3, p50 1.2 ms, p95 2.0 ms`
void tell_starts(context& with, const starts_view& all) {
  const auto tell = [&](const std::string& whose, const start_figures& of) {
    if (of.starts + of.failures > 0) {
      const std::string failed = of.failures > 0 ? ", " + std::to_string(of.failures) + " failed" : "";
      with.note(figures_text(whose, of) + failed);
    }
  };
  for (const start_figures& each : all.agents) {
    tell("starts of " + each.agent + ": ", each);
  }
  tell("batches of starts: ", all.batches);
}

/// What was there of the run before this process took it over.
struct known_run {
  event_seq last;                          ///< Its newest event.
  std::optional<std::string> played_from;  ///< Of one that has not ended.
};

known_run known_before(const settings& values, const run_id& run) {
  if (run.empty()) {
    return {};
  }
  auto stored = open_stored(values);
  const auto pinned = stored ? (*stored)->find_pinned(run) : result<pinned_run>{stored.error()};
  if (!pinned) {
    return {};
  }
  const bool is_over = is_final(pinned->run.state);
  return {pinned->run.last_seq, is_over ? std::nullopt : played_from(pinned->config_source)};
}

/// Without a word of the user, a run whose answers were played does not begin to ask, and to cost.
result<node_cassettes> cassettes_for(context& with, const known_run& known, const execution_options& options) {
  if (!known.played_from || options.cassettes.player || options.cassettes.recorder) {
    return options.cassettes;
  }
  auto player = play_from(*known.played_from);
  if (!player) {
    error why = std::move(player).error();
    why.message = "the run was begun with --playback, and " + why.message;
    why.hint = "go on with another folder: troupe run WORKFLOW --run-id RUN --playback DIR";
    return why;
  }
  with.note("no agent is asked: answers are played from " + *known.played_from);
  return node_cassettes{.recorder = nullptr, .player = *std::move(player), .played_from = *known.played_from};
}

/// Who wants a run to go on is told that it does.
error in_words_of_the_owner(error why, const settings& values, const run_id& run) {
  auto stored = why.code == error_code::lease_held && !run.empty()
                    ? open_stored(values)
                    : result<std::unique_ptr<read_session>>{error{error_code::not_found, "", ""}};
  const auto view = stored ? (*stored)->find_run(run) : result<run_view>{stored.error()};
  if (view && view->state == run_state::running && !view->abandoned) {
    why.message = "run " + run.str() + " is being carried out already: " + why.message;
    why.hint = "look at it: troupe logs " + run.str() + " --follow, or troupe show " + run.str() + " --tree";
  }
  return why;
}

/// The writer speaks of commands; who named a run speaks of that.
error in_words_of_a_run(error why, const error_place& place) {
  if (why.code == error_code::idempotency_violation && place.run) {
    why.message = "run '" + place.run->str() + "' is there already, with another workflow, subject or inputs";
    why.hint = "choose another --run-id, or go on with it as it is: troupe resume " + place.run->str();
  }
  return why;
}

}  // namespace

exit_code tell_as_it_stands(context& with, const run_id& run, const execution_options& options) {
  return tell_end(with, run, options);
}

exit_code execute(context& with, submission what, const execution_options& options) {
  const error_place place{.run = what.id.empty() ? std::optional<run_id>{} : what.id, .step = {}};
  const auto faults = ordered_faults(with);
  if (!faults) {
    return refuse(with, faults.error());
  }
  auto waiting = signal_watch::of({SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH});
  if (!waiting) {
    return refuse(with, waiting.error());
  }
  log_to_stderr(with);
  const known_run known = known_before(*with.settings(), what.id);
  auto cassettes = cassettes_for(with, known, options);
  if (!cassettes) {
    return refuse(with, cassettes.error(), place);
  }
  auto running =
      node::start({.config = with.settings(), .functions = {}, .faults = *faults, .cassettes = *std::move(cassettes)});
  if (!running) {
    return refuse(with, in_words_of_the_owner(running.error(), *with.settings(), what.id), place);
  }
  const auto taken = (*running)->submit(std::move(what));
  if (!taken) {
    return refuse(with, in_words_of_a_run(taken.error(), place), place);
  }
  if (!taken->already_finished) {
    watched_run watched{with, **running, *waiting};
    if (const auto why = watched.watch(taken->run, known.last)) {
      return refuse(with, *why, {.run = taken->run, .step = {}});
    }
  }
  if (with.options().verbose) {
    tell_starts(with, (*running)->starts());
  }
  running->reset();
  if (*faults) {
    tell_used_faults(with, **faults);
  }
  return tell_end(with, taken->run, options);
}

}  // namespace troupe
