// troupe approve
#include "config/file_text.hpp"
#include "config/workflow_file.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/database_owner.hpp"
#include "runtime/cli/gate_text.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/deciding.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/json/gate_json.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/os/host.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe {
namespace {

struct approve_options {
  std::string run;
  std::string step;
  bool reject = false;
  std::optional<std::string> comment;
  std::optional<std::string> who;
  std::optional<std::string> edit;
  std::optional<std::string> action;
  std::optional<std::string> task;
  std::int64_t superstep = 0;  // 0: not said
  std::int64_t level = 0;
};

/// The text itself, or that of the file behind an @.
result<json_text> edit_of(const std::string& given) {
  if (!given.starts_with('@')) {
    return read_edit(given);
  }
  const auto path = given.substr(1);
  const auto file = read_file_text(path);
  return file.text ? read_edit(*file.text)
                   : result<json_text>{error{error_code::invalid_input, path + " cannot be read: " + file.why, ""}};
}

result<asked_decision> decision_of(const approve_options& options) {
  asked_decision asked;
  asked.which.step = step_id{options.step};
  if (options.superstep > 0) {
    asked.which.superstep.emplace(options.superstep);
  }
  if (options.level > 0) {
    asked.which.level = static_cast<int>(options.level);
  }
  if (options.task) {
    asked.which.task.emplace(*options.task);
  }
  auto& decision = asked.decision;
  decision.choice = options.reject ? gate_choice::rejected : gate_choice::approved;
  decision.by = options.who.value_or(login_name());
  decision.comment = options.comment.value_or("");
  decision.action_hash = options.action.value_or("");
  if (options.edit) {
    auto edit = edit_of(*options.edit);
    if (!edit) {
      return edit.error();
    }
    decision.state_edit = *std::move(edit);
  }
  return asked;
}

result<gate_receipt> decide_alone(const settings& values, const run_id& run, const asked_decision& asked) {
  const auto receipt = decide_in_rows(storage_of(values), run, asked.which, asked.decision);
  const bool is_held = !receipt && receipt.error().code == error_code::lease_held;
  return is_held ? result<gate_receipt>{with_owner(receipt.error(), values)} : receipt;
}

result<run_id> find_run(const settings& values, const std::string& text) {
  auto stored = open_stored(values);
  return stored ? find_run_id(**stored, text) : result<run_id>{stored.error()};
}

result<gate_view> load_gate(const settings& values, const run_id& run, const gate_place& place) {
  auto stored = open_stored(values);
  const auto gates = stored ? (*stored)->list_gates(run) : result<std::vector<gate_view>>{stored.error()};
  if (!gates) {
    return gates.error();
  }
  const auto found = std::ranges::find(*gates, place, [](const gate_view& each) { return each.asked.place; });
  return found != gates->end() ? result<gate_view>{*found}
                               : result<gate_view>{error{error_code::internal, "the gate has no row", ""}};
}

/// A child run asks in its own name.
error in_words_of_children(error why, const settings& values, const run_id& run, const step_id& step) {
  auto stored = open_stored(values);
  const auto view = stored ? (*stored)->find_run(run) : result<run_view>{stored.error()};
  const auto below = view && why.code == error_code::not_found
                         ? list_gates_below(**stored, *view)
                         : result<std::vector<gate_view>>{std::vector<gate_view>{}};
  for (const gate_view& gate : below ? *below : std::vector<gate_view>{}) {
    if (gate.asked.place.step == step) {
      why.hint = "its child run does: " + approve_command(gate, *below);
    }
  }
  return why;
}

struct decided_gate {
  gate_view gate;
  std::size_t levels = 1;  ///< Of its step.
  run_id root;             ///< Whom to go on with.
  bool by_owner = false;   ///< The process that has the database took the decision.
};

result<decided_gate> load_decided(const settings& values, const run_id& run, const gate_place& place) {
  auto gate = load_gate(values, run, place);
  auto stored = open_stored(values);
  const auto pinned = stored ? (*stored)->find_pinned(run) : result<pinned_run>{stored.error()};
  if (!gate || !pinned) {
    return gate ? pinned.error() : gate.error();
  }
  const auto loaded = parse_workflow(pinned->workflow_source, pinned->run.workflow, "");
  const step* const declared = loaded.flow == nullptr ? nullptr : find_step(*loaded.flow, place.step);
  const bool has_levels = declared != nullptr && declared->gate && !place.task;
  return decided_gate{*std::move(gate), has_levels ? declared->gate->levels.size() : 1, root_of(**stored, pinned->run)};
}

std::string decided_text(const decided_gate& decided, const gate_receipt& receipt) {
  const gate_view& gate = decided.gate;
  std::string name = "gate '" + gate.asked.place.step.str() + "' of run " + gate.run.str();
  if (decided.levels > 1) {
    name += ", level " + std::to_string(gate.asked.place.level) + " of " + std::to_string(decided.levels) + ',';
  }
  if (receipt.repeated) {
    return name + " had this decision already; nothing was changed";
  }
  if (gate.state == gate_state::open) {
    return name + " has " + votes_text(gate);
  }
  return name + " is " + std::string{to_string(gate.state)};
}

exit_code tell(context& with, const decided_gate& decided, const gate_receipt& receipt) {
  const gate_view& gate = decided.gate;
  if (with.options().json) {
    with.print_json(object_writer{}
                        .raw("gate", gate_json(gate))
                        .boolean("repeated", receipt.repeated)
                        .boolean("carried_out", receipt.carried_out)
                        .str());
    return exit_code::completed;
  }
  with.note(decided_text(decided, receipt));
  if (gate.state != gate_state::open) {
    const std::string when = decided.by_owner ? "when the process that has the database now has ended, " : "";
    with.note(receipt.carried_out ? "the process that carries the run out goes on with it"
                                  : when + "go on with: troupe resume " + decided.root.str());
  }
  return exit_code::completed;
}

exit_code approve(context& with, const approve_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto asked = decision_of(options);
  if (!asked) {
    return refuse(with, asked.error());
  }
  const auto run = find_run(*with.settings(), options.run);
  if (!run) {
    return refuse(with, run.error(), {.run = {}, .step = asked->which.step});
  }
  const error_place place{.run = *run, .step = asked->which.step};
  const auto refuse_it = [&](const error& why) {
    return refuse(with, in_words_of_children(why, *with.settings(), *run, asked->which.step), place);
  };
  const auto by_owner = ask_decision(with.settings()->storage.path, *run, *asked);
  const auto receipt = by_owner ? *by_owner : decide_alone(*with.settings(), *run, *asked);
  if (!receipt) {
    return refuse_it(receipt.error());
  }
  auto decided = load_decided(*with.settings(), *run, receipt->place);
  if (!decided) {
    return refuse(with, decided.error(), place);
  }
  decided->by_owner = by_owner.has_value();
  return tell(with, *decided, *receipt);
}

}  // namespace

void add_approve(command_tree& tree) {
  const auto options = std::make_shared<approve_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "approve",
       .summary = "decide what a run asks: approve it, or reject it",
       .details =
           "The process that carries the run out goes on with it at once; where there is none, the decision waits "
           "for troupe resume. Each person decides once: the same decision again changes nothing. With --action a "
           "decision counts for this action only, and is refused when it has changed.",
       .examples = {"troupe approve last approve",
                    "troupe approve r-0k2j approve --reject --comment 'tests are missing'",
                    "troupe approve r-0k2j approve --as ann --edit '{\"title\":\"Better\"}'",
                    "troupe approve r-0k2j approve --edit @changes.json --json"}});
  add_run_argument(command, options->run);
  add_argument(command, "STEP", options->step, "the step that asks");
  add_flag(command, "--reject", options->reject, "reject it");
  add_text(command, "--comment", options->comment, "TEXT", "why, in words");
  add_text(command, "--as", options->who, "WHO", "who decides [the login name]");
  add_text(command,
           "--edit",
           options->edit,
           "PATCH",
           "change the state as well: a JSON object whose members replace the state's, null takes one out (RFC 7396); "
           "@FILE reads it");
  add_text(command, "--action", options->action, "HASH", "the action that was looked at, as troupe pending shows it");
  add_number(command, "--superstep", options->superstep, 1, "N", "which, where the step asks several times");
  add_number(command, "--level", options->level, 1, "N", "which of its levels, likewise");
  add_text(command, "--task", options->task, "ID", "which interrupted task, likewise");
  tree.on(command, [options](context& with) { return approve(with, *options); });
}

}  // namespace troupe
