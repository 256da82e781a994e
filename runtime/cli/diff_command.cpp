// troupe diff
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/comparing.hpp"
#include "runtime/json/study_json.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

constexpr int columns_of_value = 100;
constexpr std::size_t places_max = 40;

struct diff_options {
  std::string left;
  std::string right;
};

class comparison_text {
 public:
  comparison_text(const run_comparison& compared, const style& look, bool whole)
      : compared_(compared), look_(look), whole_(whole) {}

  std::string text() {
    if (!compared_.is_same_workflow()) {
      line("the workflows differ");
      sides(name_of(compared_.left), name_of(compared_.right));
    }
    if (!compared_.inputs.empty()) {
      line("the inputs differ");
      places(compared_.inputs);
    }
    if (compared_.shared) {
      line("supersteps 0 to " + std::to_string(compared_.shared->value()) + " are one past that both share");
    }
    if (compared_.supersteps > 0) {
      line(counted(compared_.supersteps, "superstep is", "supersteps are") + " equal");
    }
    if (compared_.first) {
      first_difference(*compared_.first);
    } else if (compared_.is_equal()) {
      text_ += look_.mark(sign::good) + " the runs are equal\n";
    }
    return std::move(text_);
  }

 private:
  void line(const std::string& what) { text_ += what + '\n'; }

  std::string cut(const std::string& value) const {
    return whole_ ? printable(value) : fit(printable(value), columns_of_value, look_.unicode);
  }

  static std::string name_of(const run_view& run) { return run.workflow + ", " + run.workflow_hash; }

  void sides(const std::string& left, const std::string& right, std::string_view indent = "  ") {
    for (const auto& [run, value] : {std::pair{compared_.left.run, left}, std::pair{compared_.right.run, right}}) {
      text_ += std::string{indent} + look_.paint(ink::dim, run.str()) + "  " + cut(value) + '\n';
    }
  }

  void places(const std::vector<json_difference>& all) {
    const auto side = [](const std::optional<json_text>& value) { return value ? value->str() : "nothing"; };
    std::size_t told = 0;
    for (const auto& each : all) {
      if (!whole_ && told++ == places_max) {
        line("  and " + std::to_string(all.size() - places_max) + " more; -v and --json have all");
        return;
      }
      line("  " + look_.paint(ink::bold, each.pointer.empty() ? "the whole" : printable(each.pointer)));
      sides(side(each.left), side(each.right), "    ");
    }
  }

  void first_difference(const superstep_difference& found) {
    std::string where = "superstep " + std::to_string(found.superstep.value());
    where += found.step ? ", step " + found.step->str() : "";
    where += found.agent && !found.agent->empty() ? ", " + found.agent->str() : "";
    where += found.item ? ", element " + std::to_string(*found.item) : "";
    line(look_.mark(sign::failed) + ' ' + where + ": " + std::string{to_string(found.what)});
    sides(found.left, found.right);
    if (!compared_.state.empty()) {
      line("the state after superstep " + std::to_string(found.superstep.value()));
      places(compared_.state);
    } else if (compared_.state_is_known) {
      line("the states after it are equal");
    }
  }

  const run_comparison& compared_;
  const style& look_;
  bool whole_;
  std::string text_;
};

exit_code diff(context& with, const diff_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto stored = open_stored(*with.settings());
  if (!stored) {
    return refuse(with, stored.error());
  }
  const auto left = find_run_id(**stored, options.left);
  const auto right = find_run_id(**stored, options.right);
  if (!left || !right) {
    return refuse(with, left ? right.error() : left.error());
  }
  const auto compared = compare_runs(**stored, *left, *right);
  if (!compared) {
    return refuse(with, compared.error());
  }
  if (with.options().json) {
    with.print_json(comparison_json(*compared));
  } else if (!with.options().quiet) {
    with.out().write(comparison_text{*compared, with.out().look(), with.options().verbose}.text());
  }
  return compared->is_equal() ? exit_code::completed : exit_code::failed;
}

}  // namespace

void add_diff(command_tree& tree) {
  auto options = std::make_shared<diff_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "diff",
       .summary = "tell where two runs part: the first superstep that differs, and their states there",
       .details =
           "Compared are steps, outcomes, values, changes, routes, decisions and states; not times, attempts and "
           "processes. Of a run that is not at its end, what is committed. Of runs that were forked from one another "
           "the past that they share is named and passed over. Exits with 1 where they differ.",
       .examples = {"troupe diff r-0k2j r-0k2m", "troupe diff r-0k2j last --json"}});
  set_kind(add_argument(command, "RUN_A", options->left, "id of a run, the beginning of one, or last"),
           value_kind::run);
  set_kind(add_argument(command, "RUN_B", options->right, "the other one"), value_kind::run);
  tree.on(command, [options](context& with) { return diff(with, *options); });
}

}  // namespace troupe
