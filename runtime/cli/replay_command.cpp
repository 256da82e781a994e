// troupe replay
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/study_json.hpp"
#include "runtime/replaying.hpp"

#include <array>
#include <cstdio>
#include <memory>

namespace troupe {
namespace {

struct replay_options {
  std::string run;
  bool lenient = false;
};

std::string in_ms(std::chrono::microseconds length) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.1f ms", static_cast<double>(length.count()) / 1e3);
  return digits.data();
}

std::string done_text(const replay_report& report) {
  return counted(report.supersteps, "superstep", "supersteps") + " with " + counted(report.tasks, "task", "tasks") +
         ", " + in_ms(report.took);
}

/// Where, what, and both hashes below.
std::string mismatch_text(const replay_mismatch& found, const style& look) {
  auto bare = found;
  bare.expected.clear();
  bare.actual.clear();
  std::string text = look.mark(sign::failed) + ' ' + printable(error_of(bare).message) + '\n';
  const auto line = [&](const char* whose, const std::string& hash) {
    text += "  " + look.paint(ink::dim, whose) + ' ' + (hash.empty() ? "nothing" : printable(hash)) + '\n';
  };
  if (!found.expected.empty() || !found.actual.empty()) {
    line("recorded", found.expected);
    line("replayed", found.actual);
  }
  return text;
}

void print(context& with, const replay_report& report, const replay_options& options) {
  output& out = with.out();
  if (report.mismatches.empty()) {
    out.line(out.look().mark(sign::good) + " run " + report.run.str() +
             " is what its journal says: " + done_text(report));
    return;
  }
  for (const auto& found : report.mismatches) {
    out.write(mismatch_text(found, out.look()));
  }
  out.line("run " + report.run.str() + " differs from its journal: " +
           counted(static_cast<std::int64_t>(report.mismatches.size()), "difference", "differences") + "; " +
           done_text(report));
  if (!options.lenient) {
    with.note("it ended with the first superstep that differs; --lenient goes on");
  }
}

exit_code replay(context& with, const replay_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto stored = open_stored(*with.settings());
  if (!stored) {
    return refuse(with, stored.error());
  }
  const auto run = find_run_id(**stored, options.run);
  if (!run) {
    return refuse(with, run.error());
  }
  const auto report = replay_run(**stored, *run, options.lenient ? replay_mode::lenient : replay_mode::strict);
  if (!report) {
    return refuse(with, report.error(), {.run = *run, .step = {}});
  }
  if (with.options().json) {
    with.print_json(replay_json(*report));
  } else if (!with.options().quiet || !report->mismatches.empty()) {
    print(with, *report, options);
  }
  return report->mismatches.empty() ? exit_code::completed : exit_code::failed;
}

}  // namespace

void add_replay(command_tree& tree) {
  auto options = std::make_shared<replay_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "replay",
       .summary = "carry a run out again from its journal alone, and tell whether it comes to the same",
       .details =
           "Nothing is written and nobody is asked: recorded outcomes stand in the place of agents. Tasks, requests, "
           "outputs read again, changes, states, routes, gates and keys are compared with what was committed. Any run "
           "will do, also one that another process carries out: what is committed is replayed. Exits with 1 where they "
           "differ, and says in which superstep, step and attempt.",
       .examples = {"troupe replay last", "troupe replay r-0k2j --lenient", "troupe replay last --json"}});
  add_run_argument(command, options->run);
  add_flag(command, "--lenient", options->lenient, "list every difference, and go on with what is recorded");
  tree.on(command, [options](context& with) { return replay(with, *options); });
}

}  // namespace troupe
