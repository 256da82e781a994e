// troupe pending
#include "runtime/cli/commands.hpp"
#include "runtime/cli/gate_text.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/gate_json.hpp"

#include <chrono>
#include <map>

namespace troupe {
namespace {

using roots = std::map<run_id, run_id>;

/// Of the child runs among them: who is to be gone on with.
roots roots_of(read_session& stored, const std::vector<pending_view>& pending) {
  roots found;
  for (const pending_view& each : pending) {
    const auto view = found.contains(each.gate.run) ? result<run_view>{run_view{}} : stored.find_run(each.gate.run);
    if (view && view->parent_task) {
      found.emplace(each.gate.run, root_of(stored, *view));
    }
  }
  return found;
}

std::string head_of(const pending_view& pending, const roots& above, const style& look) {
  const std::string between = ' ' + std::string{look.dot()} + ' ';
  std::string text = look.paint(ink::bold, pending.workflow);
  text += pending.subject == pending.workflow ? "" : between + printable(pending.subject);
  const auto root = above.find(pending.gate.run);
  const std::string of = root == above.end() ? std::string{} : ", a child of " + root->second.str();
  return text + look.paint(ink::dim, between + pending.gate.run.str() + of) + '\n';
}

std::string pending_text(const std::vector<pending_view>& pending, const roots& above, const style& look) {
  const timestamp now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::vector<gate_view> gates;
  gates.reserve(pending.size());
  for (const pending_view& each : pending) {
    gates.push_back(each.gate);
  }
  std::string text;
  const run_id* before = nullptr;
  for (const pending_view& each : pending) {
    if (before == nullptr || *before != each.gate.run) {
      text += (text.empty() ? "" : "\n") + head_of(each, above, look);
    }
    text += gate_text(each.gate, gates, now, look);
    before = &each.gate.run;
  }
  return text;
}

exit_code print(context& with, const std::vector<pending_view>& pending, const roots& above) {
  if (with.options().json) {
    with.print_json(pending_json(pending));
  } else if (with.options().quiet) {
    for (const pending_view& each : pending) {
      with.out().line(each.gate.run.str() + ' ' + each.gate.asked.place.step.str());
    }
  } else if (pending.empty()) {
    with.note("nothing waits for a decision");
  } else {
    with.out().write(pending_text(pending, above, with.out().look()));
  }
  return exit_code::completed;
}

exit_code pending(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return stored.error().code == error_code::not_found ? print(with, {}, {}) : refuse(with, stored.error());
  }
  const auto found = (*stored)->list_pending();
  return found ? print(with, *found, roots_of(**stored, *found)) : refuse(with, found.error());
}

}  // namespace

void add_pending(command_tree& tree) {
  CLI::App& command =
      tree.add(tree.root(),
               {.name = "pending",
                .summary = "list what waits for a person to decide",
                .details = "The oldest first, with the commands that decide it. With -q the run and the step alone.",
                .examples = {"troupe pending", "troupe pending --json"}});
  tree.on(command, [](context& with) { return pending(with); });
}

}  // namespace troupe
