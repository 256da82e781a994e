// troupe costs
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/run_json.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::array<std::pair<std::string_view, cost_grouping>, 7> groupings{{{"attempt", cost_grouping::attempt},
                                                                               {"step", cost_grouping::step},
                                                                               {"agent", cost_grouping::agent},
                                                                               {"model", cost_grouping::model},
                                                                               {"run", cost_grouping::run},
                                                                               {"subject", cost_grouping::subject},
                                                                               {"day", cost_grouping::day}}};

struct costs_options {
  std::string run;
  std::optional<std::string> subject;
  std::optional<std::string> by;
};

cost_sum total_of(const std::vector<cost_sum>& sums) {
  cost_sum total;
  total.key = "total";
  for (const cost_sum& each : sums) {
    total.attempts += each.attempts;
    total.estimated += each.estimated;
    total.unpriced += each.unpriced;
    total.input_tokens += each.input_tokens;
    total.output_tokens += each.output_tokens;
    total.microusd += each.microusd;
    total.time += each.time;
    total.unmetered += each.unmetered;
  }
  return total;
}

std::string upper(std::string_view text) {
  std::string title{text};
  std::ranges::transform(title, title.begin(), [](char letter) { return static_cast<char>(letter - 'a' + 'A'); });
  return title;
}

std::string costs_table(std::vector<cost_sum> sums, std::string_view by, output& out) {
  table rows{{{.title = upper(by), .right = false, .shrinks = true},
              {.title = "ATTEMPTS", .right = true, .shrinks = false},
              {.title = "TIME", .right = true, .shrinks = false},
              {.title = "TOKENS IN", .right = true, .shrinks = false},
              {.title = "OUT", .right = true, .shrinks = false},
              {.title = "ESTIMATED", .right = true, .shrinks = false},
              {.title = "COST", .right = true, .shrinks = false}}};
  if (sums.size() > 1) {
    sums.push_back(total_of(sums));
  }
  for (const cost_sum& each : sums) {
    const bool has_cost = each.unmetered < each.attempts;
    rows.add({each.key.empty() ? "(no name)" : printable(each.key),
              std::to_string(each.attempts),
              human_duration(each.time),
              has_cost ? std::to_string(each.input_tokens) : std::string{},
              has_cost ? std::to_string(each.output_tokens) : std::string{},
              each.estimated > 0 ? std::to_string(each.estimated) : std::string{},
              has_cost ? cost_text(each.microusd, each.unpriced) : std::string{}});
  }
  return rows.text(out.width(), out.look());
}

exit_code print(context& with, const std::vector<cost_sum>& sums, std::string_view by) {
  output& out = with.out();
  const auto total = total_of(sums);
  if (with.options().json) {
    list_writer list;
    for (const cost_sum& each : sums) {
      list.raw(cost_json(each));
    }
    with.print_json(object_writer{}.text("by", by).raw("total", cost_json(total)).raw("costs", list.str()).str());
  } else if (with.options().quiet) {
    out.line(cost_text(total.microusd, total.unpriced));
  } else if (sums.empty()) {
    with.note("no attempt has ended");
  } else {
    out.write(costs_table(sums, by, out));
  }
  return exit_code::completed;
}

exit_code costs(context& with, const costs_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const std::string by = options.by.value_or(options.run.empty() ? "model" : "step");
  const auto* const grouping = std::ranges::find(groupings, by, &std::pair<std::string_view, cost_grouping>::first);
  auto stored = open_stored(*with.settings());
  if (!stored) {
    const bool is_none = stored.error().code == error_code::not_found && options.run.empty();
    return is_none ? print(with, {}, by) : refuse(with, stored.error());
  }
  cost_filter filter;
  filter.subject = options.subject;
  if (!options.run.empty()) {
    const auto run = find_run_id(**stored, options.run);
    if (!run) {
      return refuse(with, run.error());
    }
    filter.run = *run;
  }
  const auto sums = (*stored)->list_costs(filter, grouping->second);
  return sums ? print(with, *sums, by) : refuse(with, sums.error());
}

}  // namespace

void add_costs(command_tree& tree) {
  auto options = std::make_shared<costs_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "costs",
       .summary = "tell what attempts have used up, what that cost, and how long it took",
       .details = "Of one run with its child runs, of all runs about a subject, or of all runs. Prices are in the "
                  "configuration, [prices.\"MODEL\"]; a model without one is counted with its tokens, and its cost is "
                  "unknown. TIME is that of all attempts, added up, also where they ran beside each other. With -q the "
                  "amount alone.",
       .examples = {"troupe costs last", "troupe costs --by model", "troupe costs --subject SPEC-7 --by run --json"}});
  add_run_argument(command, options->run, false);
  add_text(command, "--subject", options->subject, "TEXT", "only runs about this");
  std::vector<std::string> names;
  names.reserve(groupings.size());
  for (const auto& [name, grouping] : groupings) {
    names.emplace_back(name);
  }
  add_choice(command, "--by", options->by, names, "what to add up by [of a run by step, else by model]");
  tree.on(command, [options](context& with) { return costs(with, *options); });
}

}  // namespace troupe
