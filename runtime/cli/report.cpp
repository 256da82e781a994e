#include "runtime/cli/report.hpp"

#include "actors/json/json.hpp"
#include "runtime/cli/context.hpp"
#include "runtime/cli/gate_text.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/value_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t elements_max = 40;
constexpr std::size_t steps_max = 12;

using givers = std::map<std::string, std::vector<std::string>>;

std::vector<std::string> names_of(const std::vector<agent_name>& agents) {
  std::vector<std::string> names;
  std::ranges::transform(agents, std::back_inserter(names), [](const agent_name& name) { return name.str(); });
  return names;
}

void add_givers(givers& all, const std::vector<answer_group>& groups) {
  for (const answer_group& group : groups) {
    all.insert_or_assign(group.value.str(), names_of(group.agents));
  }
}

/// Who gave each element of a result that was voted on one by one.
givers givers_of(const stored_run& stored) {
  givers all;
  for (const judged_step& each : stored.judged) {
    if (each.one_by_one) {
      add_givers(all, each.reached.agreed);
    }
  }
  return all;
}

std::string head_line(const run_view& run, const style& look) {
  const std::string between = ' ' + std::string{look.dot()} + ' ';
  std::string line = look.paint(ink::bold, run.workflow) + "  " + state_text(run, look);
  if (const std::string duration = duration_text(run); !duration.empty()) {
    line += between + duration;
  }
  return line + look.paint(ink::dim, between + run.run.str()) + '\n';
}

sign sign_of_verdict(const verdict& reached) noexcept {
  switch (reached.status) {
    case verdict_status::ok:
      return sign::good;
    case verdict_status::degraded:
      return sign::warned;
    case verdict_status::conflict:
    case verdict_status::insufficient:
      return sign::failed;
  }
  return sign::failed;
}

/// `5 agreed, 7 in dissent`; of a vote on whole answers `all agree`, or `2 agree, in dissent: claude`.
std::string vote_words(const judged_step& judged) {
  const verdict& reached = judged.reached;
  if (judged.one_by_one) {
    return std::to_string(reached.agreed.size()) + " agreed, " + std::to_string(reached.dissent.size()) + " in dissent";
  }
  if (reached.dissent.empty()) {
    return "all agree";
  }
  std::vector<std::string> others;
  for (const answer_group& group : reached.dissent) {
    std::ranges::move(names_of(group.agents), std::back_inserter(others));
  }
  return std::to_string(reached.answered.size() - others.size()) + " agree, in dissent: " + listed(others);
}

/// Those of `agents` who count for the quorum.
std::vector<agent_name> members_of(const verdict& reached, std::vector<agent_name> agents) {
  if (reached.aggregator) {
    std::erase(agents, *reached.aggregator);
  }
  return agents;
}

/// `brought together by judge: 3 agreements, 1 conflict`, as far as its answer has such lists.
std::string aggregate_words(const verdict& reached) {
  if (std::ranges::find(reached.answered, *reached.aggregator) == reached.answered.end()) {
    return "not brought together";
  }
  std::string text = "brought together by " + reached.aggregator->str();
  const auto answer = reached.winner ? parse(*reached.winner) : boost::json::value{};
  std::string found;
  const auto add = [&](std::string_view pointer, std::string_view singular, std::string_view plural) {
    const auto* list = find(answer, pointer);
    if (list != nullptr && list->is_array()) {
      const auto count = static_cast<std::int64_t>(list->get_array().size());
      found += (found.empty() ? ": " : ", ") + counted(count, singular, plural);
    }
  };
  add("/agreements", "agreement", "agreements");
  add("/conflicts", "conflict", "conflicts");
  return text + found;
}

/// How those who answered came to the result.
std::string way_words(const judged_step& judged) {
  const verdict& reached = judged.reached;
  if (reached.aggregator) {
    return aggregate_words(reached);
  }
  const bool alone = !judged.one_by_one && reached.answered.size() == 1;
  if (alone || (judged.race && reached.dissent.empty())) {
    return "";
  }
  return judged.one_by_one || !reached.agreed.empty() ? vote_words(judged) : "";
}

/// `2 of 3 answered: gpt and claude, all agree`; of a race `gpt was first, 1 of 3 answered`.
std::string verdict_words(const judged_step& judged) {
  const verdict& reached = judged.reached;
  const auto asked = members_of(reached, reached.asked);
  const auto answered = members_of(reached, reached.answered);
  const bool is_won = judged.race && reached.winner;
  std::string text = reached.emergency ? "emergency: " : is_won ? answered.front().str() + " was first, " : "";
  text += std::to_string(answered.size()) + " of " + std::to_string(asked.size()) + " answered";
  if (reached.emergency) {
    text += ", the quorum is " + std::to_string(reached.quorum);
  }
  if (answered.size() < asked.size() && !answered.empty() && !is_won && !judged.elements) {
    text += ": " + listed(names_of(answered));
  }
  if (reached.status == verdict_status::insufficient) {
    return text + ", " + std::to_string(reached.quorum) + " needed";
  }
  const std::string way = reached.winner ? way_words(judged) : "";
  return way.empty() ? text : text + ", " + way;
}

/// Who was not waited for is told otherwise than who failed.
std::string missing_line(const judged_step& judged, const missing_agent& missing, const style& look) {
  if (missing.why.code == error_code::cancelled && !judged.elements) {
    return "  " + missing.agent.str() + " was stopped: " + printable(missing.why.message) + '\n';
  }
  return "  " + look.paint(ink::yellow, missing.agent.str() + " is missing") + ": " +
         std::string{to_string(missing.why.code)} + ": " + printable(missing.why.message) + '\n';
}

/// The elements that too few gave, each with who gave it.
std::string dissent_text(const verdict& reached, const style& look) {
  boost::json::array elements;
  for (const answer_group& group : reached.dissent) {
    elements.push_back(parse(group.value));
  }
  givers by;
  add_givers(by, reached.dissent);
  return "\nnot agreed on:\n" + value_text(elements, {.look = look, .elements_max = 0, .givers = by});
}

/// Of a lone agent the error of the run says it all.
bool is_worth_telling(const judged_step& judged) { return judged.reached.asked.size() > 1; }

/// The run failed of a verdict that is told, with all that made it so.
bool is_told_by_verdict(const stored_run& stored) {
  return stored.run.why && stored.run.failed_step && std::ranges::any_of(stored.judged, [&](const judged_step& each) {
           return each.step == *stored.run.failed_step && each.reached.why && is_worth_telling(each) &&
                  each.reached.why->code == stored.run.why->code;
         });
}

std::string verdict_lines(const judged_step& judged, const report_look& with) {
  const verdict& reached = judged.reached;
  std::string text = with.look.mark(sign_of_verdict(reached)) + ' ' + judged.step.str() + "  ";
  if (reached.asked.size() == 1) {
    text += reached.missing.empty() ? "answered" : reached.asked.front().str();
  } else {
    text += verdict_words(judged);
  }
  text += '\n';
  const std::size_t most = with.whole ? reached.missing.size() : std::min(reached.missing.size(), steps_max);
  for (std::size_t i = 0; i < most; ++i) {
    text += missing_line(judged, reached.missing[i], with.look);
  }
  if (most < reached.missing.size()) {
    text += "  and " + std::to_string(reached.missing.size() - most) + " more\n";
  }
  if (reached.status == verdict_status::conflict && reached.why) {
    text += "  " + printable(reached.why->message) + '\n';
  }
  const bool elements = with.whole && judged.one_by_one && !reached.dissent.empty();
  return elements ? text + dissent_text(reached, with.look) : text;
}

std::string verdicts_text(const stored_run& stored, const report_look& with) {
  std::vector<const judged_step*> told;
  for (const judged_step& each : stored.judged) {
    if (with.whole || is_worth_telling(each)) {
      told.push_back(&each);
    }
  }
  std::string text;
  std::size_t skipped = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const bool good = told[i]->reached.status == verdict_status::ok;
    if (!with.whole && good && told.size() > steps_max && i + steps_max < told.size()) {
      ++skipped;
      continue;
    }
    text += verdict_lines(*told[i], with);
  }
  if (skipped > 0) {
    text =
        with.look.paint(ink::dim, counted(static_cast<std::int64_t>(skipped), "step", "steps") + " before, all well") +
        '\n' + text;
  }
  return text;
}

std::string place_of_failure(const run_view& run) { return run.failed_step ? " in " + run.failed_step->str() : ""; }

/// A run keeps the limits that it is pinned to, so that a change of the file helps only those that begin later.
std::string hint_of(const run_view& run) {
  std::string hint = named_hint(run.why->hint, {.run = run.run, .step = run.failed_step});
  if (exit_code_of(run.why->code) != exit_code::limit || hint.find("limits.") == std::string::npos) {
    return hint;
  }
  const std::string id = run.run.str();
  return hint + " for runs that begin later; this one goes on, with its limits begun anew, by troupe fork " + id +
         " --at NO (troupe show " + id + " has the numbers)";
}

std::string error_text(const stored_run& stored, const style& look) {
  const run_view& run = stored.run;
  if (!run.why) {
    return {};
  }
  std::string text = look.paint(ink::red, std::string{to_string(run.why->code)});
  text += place_of_failure(run);
  text += (is_told_by_verdict(stored) ? std::string{} : ": " + printable(run.why->message)) + '\n';
  if (!run.why->hint.empty()) {
    const std::string hint = hint_of(run);
    text += look.paint(ink::cyan, "hint:") + ' ' + printable(hint) + '\n';
  }
  return text;
}

std::string gates_text(const stored_run& stored, const std::vector<gate_view>& gates, const report_look& with) {
  std::string text;
  for (const gate_view& gate : gates) {
    text += gate.run == stored.run.run ? std::string{} : "child run " + gate.run.str() + " asks:\n";
    text += gate_text(gate, gates, with.now, with.look);
  }
  return text;
}

/// Each field under its name.
std::string fields_text(const boost::json::value& state, const value_look& with) {
  return state.is_object() && !state.get_object().empty() ? value_text(state, with) : std::string{};
}

std::string cost_text(const run_view& run) {
  std::string text;
  if (run.input_tokens + run.output_tokens > 0) {
    text = counted(run.input_tokens, "token", "tokens") + " in, " + std::to_string(run.output_tokens) + " out";
  }
  if (run.cost_microusd > 0) {
    text += (text.empty() ? "" : ", ") + usd_text(run.cost_microusd);
  }
  if (run.unpriced > 0) {
    text += (text.empty() ? "" : ", ") + std::string{run.cost_microusd > 0 ? "and " : ""} + "an unknown amount for " +
            counted(run.unpriced, "attempt", "attempts") + " without a price";
  }
  return text;
}

}  // namespace

std::string state_text(const run_view& run, const style& look) {
  std::string text = look.paint(ink_of(run.state), to_string(run.state));
  if (run.abandoned) {
    text += ", " + look.paint(ink::yellow, "abandoned");
  }
  return run.degraded && run.state != run_state::failed ? text + ", " + look.paint(ink::yellow, "degraded") : text;
}

std::vector<gate_view> open_gates(const stored_run& stored) {
  std::vector<gate_view> open;
  std::ranges::copy_if(
      stored.gates, std::back_inserter(open), [](const gate_view& gate) { return gate.state == gate_state::open; });
  open.insert(open.end(), stored.below.begin(), stored.below.end());
  return open;
}

std::vector<gate_view> known_gates(const stored_run& stored) {
  auto known = stored.gates;
  known.insert(known.end(), stored.below.begin(), stored.below.end());
  return known;
}

std::string duration_text(const run_view& run) {
  return run.finished_at ? human_duration(*run.finished_at - run.started_at) : std::string{};
}

std::string failure_line(const run_view& run) {
  return run.why ? std::string{to_string(run.why->code)} + place_of_failure(run) + ": " + printable(run.why->message)
                 : std::string{};
}

std::string result_text(const stored_run& stored, const report_look& with) {
  const givers by = givers_of(stored);
  const auto state = parse(stored.run.result);
  const value_look all{.look = with.look, .elements_max = 0, .givers = by};
  const bool is_alone = state.is_object() && state.get_object().size() == 1;  // it stands for itself
  return is_alone ? value_text(state.get_object().begin()->value(), all) : fields_text(state, all);
}

std::string run_report(const stored_run& stored, const report_look& with) {
  const givers by = givers_of(stored);
  const std::size_t most = with.whole ? 0 : elements_max;
  std::string text = head_line(stored.run, with.look);
  text += verdicts_text(stored, with);
  text += gates_text(stored, open_gates(stored), with);
  text += error_text(stored, with.look);
  const std::string result =
      fields_text(parse(stored.run.result), {.look = with.look, .elements_max = most, .givers = by});
  return result.empty() ? text : text + '\n' + result;
}

namespace {

/// `3 tasks in 2 supersteps, 1 under way, 1 interrupted`. An execution that is under way is not done.
std::string done_text(const stored_run& stored) {
  const run_view& run = stored.run;
  std::int64_t ended = run.steps;
  std::string others;
  if (!is_final(run.state)) {
    const auto count = [&](auto what) { return std::ranges::count_if(stored.tasks, what, &task_view::state); };
    ended = count([](task_state state) { return is_final(state); });
    const auto at_work = count([](task_state s) { return s == task_state::running || s == task_state::validating; });
    const auto is_cut_off = [&](const task_view& task) {
      return task.state == task_state::interrupted && !waits_for_child(task, stored.children);
    };
    const auto cut_off = std::ranges::count_if(stored.tasks, is_cut_off);
    others += at_work > 0 ? ", " + std::to_string(at_work) + " under way" : "";
    others += cut_off > 0 ? ", " + std::to_string(cut_off) + " interrupted" : "";
  }
  return counted(ended, "task", "tasks") + " in " + counted(run.supersteps, "superstep", "supersteps") + others;
}

}  // namespace

std::string run_details(const stored_run& stored, const report_look& with) {
  const run_view& run = stored.run;
  std::string text = head_line(run, with.look);
  const auto fact = [&](std::string_view name, const std::string& value) {
    text += value.empty() ? std::string{} : with.look.paint(ink::dim, pad_right(name, 11)) + value + '\n';
  };
  if (run.forked_at) {
    const std::string of = run.parent ? "run " + run.parent->str() : "a run that is gone";
    fact("forked", "from " + of + " after superstep " + std::to_string(run.forked_at->value()));
  }
  fact("subject", run.subject == run.workflow ? std::string{} : printable(run.subject));
  if (run.parent && run.parent_task) {
    fact("child of", run.parent->str() + ", task " + run.parent_task->str());
  }
  fact("started", local_time(run.started_at));
  fact("finished", run.finished_at ? local_time(*run.finished_at) : std::string{});
  fact("done", done_text(stored));
  fact("usage", cost_text(run));
  fact("inputs", run.inputs.str() == "{}" ? std::string{} : fit(printable(run.inputs.str()), 100, with.look.unicode));
  if (run.abandoned) {
    fact("abandoned", "its process is gone; go on with: troupe resume " + run.run.str());
  }
  text += error_text(stored, with.look);
  text += '\n' + tasks_table(stored, with);
  const std::string verdicts = verdicts_text(stored, with);
  text += verdicts.empty() ? verdicts : '\n' + verdicts;
  const std::string gates = gates_text(stored, known_gates(stored), with);
  text += gates.empty() ? gates : '\n' + gates;
  const givers by = givers_of(stored);
  const std::size_t most = with.whole ? 0 : elements_max;
  const std::string result = fields_text(parse(run.result), {.look = with.look, .elements_max = most, .givers = by});
  return result.empty() ? text : text + '\n' + result;
}

}  // namespace troupe
