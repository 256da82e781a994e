// troupe runs
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/report.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/run_json.hpp"

#include <memory>

namespace troupe {
namespace {

struct runs_options {
  std::optional<std::string> state;
  std::optional<std::string> subject;
  std::int64_t limit = 20;
  bool children = false;
};

/// A fork by whose past it has.
std::string workflow_text(const run_view& run) {
  if (!run.forked_at) {
    return run.workflow;
  }
  return run.workflow + ", forked from " + (run.parent ? run.parent->str() : "a run that is gone") + " at " +
         std::to_string(run.forked_at->value());
}

/// Nothing where nobody told of tokens.
std::string amount_text(const run_view& run) {
  const bool is_known = run.unpriced > 0 || run.cost_microusd > 0 || run.input_tokens + run.output_tokens > 0;
  return is_known ? cost_text(run.cost_microusd, run.unpriced) : std::string{};
}

struct listed_run {
  run_view run;
  int depth = 0;  ///< Under its parent.
};

std::string runs_table(const std::vector<listed_run>& runs, output& out) {
  table rows{{{.title = "RUN", .right = false, .shrinks = false},
              {.title = "WORKFLOW", .right = false, .shrinks = true},
              {.title = "SUBJECT", .right = false, .shrinks = true},
              {.title = "STATE", .right = false, .shrinks = false},
              {.title = "TASKS", .right = true, .shrinks = false},
              {.title = "STARTED", .right = false, .shrinks = false},
              {.title = "TIME", .right = true, .shrinks = false},
              {.title = "COST", .right = true, .shrinks = false}}};
  const timestamp now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  for (const auto& [each, depth] : runs) {
    std::string state = state_text(each, out.look());
    if (each.state == run_state::failed && each.why) {
      state += ' ' + std::string{to_string(each.why->code)};
    }
    rows.add({std::string(static_cast<std::size_t>(2 * depth), ' ') + each.run.str(),
              workflow_text(each),
              each.subject == each.workflow ? std::string{} : printable(each.subject),
              state,
              std::to_string(each.steps),
              local_time_near(each.started_at, now),
              duration_text(each),
              amount_text(each)});
  }
  return rows.text(out.width(), out.look());
}

/// Children that are there and were not asked for.
void note_children(context& with, const std::vector<listed_run>& runs) {
  std::int64_t children = 0;
  for (const listed_run& each : runs) {
    children += each.run.children;
  }
  if (children > 0) {
    with.note(counted(children, "child run", "child runs") + " not listed: --children shows them");
  }
}

exit_code print(context& with, const std::vector<listed_run>& runs, const runs_options& options) {
  output& out = with.out();
  if (with.options().json) {
    list_writer list;
    for (const listed_run& each : runs) {
      list.raw(run_summary_json(each.run));
    }
    with.print_json(object_writer{}.raw("runs", list.str()).str());
  } else if (with.options().quiet) {
    for (const listed_run& each : runs) {
      out.line(each.run.run.str());
    }
  } else if (runs.empty()) {
    with.note("no runs");
  } else {
    out.write(runs_table(runs, out));
    if (!options.children) {
      note_children(with, runs);
    }
  }
  return exit_code::completed;
}

/// Each of `runs`, with its children below it, and theirs below them.
status add_with_children(read_session& stored, std::vector<run_view> runs, int depth, std::vector<listed_run>& to) {
  for (run_view& each : runs) {
    auto children = list_children(stored, each);
    if (!children) {
      return children.error();
    }
    to.push_back({std::move(each), depth});
    if (auto added = add_with_children(stored, *std::move(children), depth + 1, to); !added) {
      return added;
    }
  }
  return done;
}

result<std::vector<listed_run>> list(read_session& stored, const runs_options& options) {
  run_filter filter;
  filter.state = options.state ? run_state_from(*options.state) : std::nullopt;
  filter.subject = options.subject;
  filter.limit = options.limit;
  filter.scope = run_scope::roots;
  auto roots = stored.list_runs(filter);
  if (!roots) {
    return roots.error();
  }
  std::vector<listed_run> all;
  if (!options.children) {
    for (run_view& each : *roots) {
      all.push_back({std::move(each)});
    }
  } else if (auto added = add_with_children(stored, *std::move(roots), 0, all); !added) {
    return added.error();
  }
  return all;
}

exit_code runs(context& with, const runs_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return stored.error().code == error_code::not_found ? print(with, {}, options) : refuse(with, stored.error());
  }
  const auto found = list(**stored, options);
  return found ? print(with, *found, options) : refuse(with, found.error());
}

}  // namespace

void add_runs(command_tree& tree) {
  auto options = std::make_shared<runs_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "runs",
       .summary = "list runs, the newest first",
       .details =
           "With -q their ids alone. A run that is a step of another one is listed below it with --children. COST "
           "says \"unknown\" where there are attempts without a price: `troupe costs RUN` tells which.",
       .examples = {"troupe runs",
                    "troupe runs --state failed --limit 5",
                    "troupe runs --subject SPEC-7 --json",
                    "troupe runs --children"}});
  add_choice(command,
             "--state",
             options->state,
             {"pending", "running", "paused", "completed", "failed", "cancelled"},
             "only runs in this state");
  add_text(command, "--subject", options->subject, "TEXT", "only runs about this");
  add_flag(command, "--children", options->children, "runs of steps too, each below the run whose step it is");
  add_number(command, "--limit", options->limit, 1, "N", "at most so many [20]");
  tree.on(command, [options](context& with) { return runs(with, *options); });
}

}  // namespace troupe
