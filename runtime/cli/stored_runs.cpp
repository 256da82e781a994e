#include "runtime/cli/stored_runs.hpp"

#include "actors/consensus/consensus.hpp"
#include "actors/json/json.hpp"
#include "config/workflow_file.hpp"
#include "runtime/cli/json_parts.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <limits>
#include <set>
#include <string>

namespace troupe {
namespace {

error not_found(std::string message, std::string hint) {
  return {.code = error_code::not_found, .message = std::move(message), .hint = std::move(hint)};
}

std::string some_of(const std::vector<run_id>& runs) {
  constexpr std::size_t at_most = 4;
  std::string text;
  for (std::size_t i = 0; i < runs.size() && i < at_most; ++i) {
    text += (i == 0 ? "" : ", ") + runs[i].str();
  }
  return text + (runs.size() > at_most ? ", ..." : "");
}

result<std::vector<run_id>> runs_that_begin(read_session& stored, std::string_view text) {
  const auto all = stored.list_runs({.state = {}, .subject = {}, .limit = std::numeric_limits<std::int32_t>::max()});
  if (!all) {
    return all.error();
  }
  std::vector<run_id> found;
  for (const run_view& each : *all) {
    if (each.run.str() == text) {
      return std::vector{each.run};
    }
    if (each.run.str().starts_with(text)) {
      found.push_back(each.run);
    }
  }
  return found;
}

result<run_id> newest_run(read_session& stored) {
  const auto newest = stored.list_runs({.state = {}, .subject = {}, .limit = 1, .scope = run_scope::roots});
  if (!newest) {
    return newest.error();
  }
  if (newest->empty()) {
    return not_found("there is no run yet", "troupe run WORKFLOW makes one");
  }
  return newest->front().run;
}

/// The answers to a step as `reach` wants them: of a race, in the order in which they came, which the verdict knows.
std::vector<agent_answer> answers_to(const judged_step& which,
                                     const std::vector<task_view>& tasks,
                                     const std::vector<std::string>& came) {
  std::vector<agent_answer> answers;
  for (const task_view& task : tasks) {
    if (task.superstep == which.superstep && task.step == which.step) {
      answers.push_back({task.agent, task.value, task.why});
    }
  }
  std::ranges::stable_sort(
      answers, {}, [&](const agent_answer& answer) { return std::ranges::find(came, answer.agent.str()); });
  return answers;
}

// A map's agent is asked once for each element, so that its name does not tell who answered.
verdict verdict_of_elements(const judged_step& which, const std::vector<task_view>& tasks) {
  verdict reached;
  for (const task_view& task : tasks) {
    if (task.superstep != which.superstep || task.step != which.step) {
      continue;
    }
    const agent_name element{task.agent.str() + '[' + std::to_string(task.item.value_or(0)) + ']'};
    reached.asked.push_back(element);
    if (task.value) {
      reached.answered.push_back(element);
    } else if (!reached.why) {
      reached.why = task.why;
    }
    if (task.why) {  // beside a value: somebody was missing in the child run that gave it
      reached.missing.push_back({element, *task.why});
    }
  }
  const bool whole = reached.answered.size() == reached.asked.size();
  reached.quorum = static_cast<int>(reached.asked.size());
  reached.degraded = whole && !reached.missing.empty();
  reached.status = !whole             ? verdict_status::insufficient
                   : reached.degraded ? verdict_status::degraded
                                      : verdict_status::ok;
  return reached;
}

judged_step judge(const workflow& flow, const std::vector<task_view>& tasks, const verdict_view& stored) {
  judged_step made{
      .superstep = stored.superstep, .step = stored.step, .one_by_one = false, .race = false, .reached = {}};
  const step* declared = find_step(flow, stored.step);
  if (declared != nullptr && declared->map) {
    made.elements = true;
    made.reached = verdict_of_elements(made, tasks);
    return made;
  }
  std::vector<agent_name> asked;
  for (const task_view& task : tasks) {
    if (task.superstep == made.superstep && task.step == made.step) {
      asked.push_back(task.agent);
    }
  }
  if (declared != nullptr && !asked.empty()) {
    const consensus_policy policy = declared->consensus.value_or(consensus_policy{});
    made.one_by_one = !policy.vote_each.empty();
    made.race = policy.strategy == consensus_strategy::race;
    made.reached = reach(policy, asked, answers_to(made, tasks, texts_member(parse(stored.verdict), "answered")));
  }
  return made;
}

}  // namespace

storage_options storage_of(const settings& values) {
  storage_options options;
  options.path = values.storage.path;
  return options;
}

result<std::unique_ptr<read_session>> open_stored(const settings& values) {
  std::error_code unknown;
  if (!std::filesystem::exists(values.storage.path, unknown) && !unknown) {
    return not_found("there is no database at " + values.storage.path,
                     "the first troupe run makes it; --db or storage.path names another one");
  }
  return read_session::open(storage_of(values));
}

result<run_id> find_run_id(read_session& stored, std::string_view text) {
  if (text == "last") {
    return newest_run(stored);
  }
  if (text.empty()) {
    return error{
        .code = error_code::invalid_input, .message = "the id of a run is empty", .hint = "troupe runs lists them"};
  }
  const auto found = runs_that_begin(stored, text);
  if (!found) {
    return found.error();
  }
  if (found->empty()) {
    const auto missing = stored.find_run(run_id{std::string{text}});
    const std::string hint = missing ? std::string{} : missing.error().hint;
    return not_found("there is no run '" + std::string{text} + "'", hint.empty() ? "troupe runs lists them" : hint);
  }
  if (found->size() > 1) {
    return error{.code = error_code::invalid_input,
                 .message = std::to_string(found->size()) + " runs begin with '" + std::string{text} + "'",
                 .hint = "they are " + some_of(*found)};
  }
  return found->front();
}

bool waits_for_people(read_session& stored, const run_id& run) {
  const auto view = stored.find_run(run);
  if (!view || view->state != run_state::paused) {
    return false;
  }
  const auto last = stored.list_events(run, event_seq{view->last_seq.value() - 1}, 1);
  return last && last->size() == 1 && last->front().kind == event_kind::run_paused &&
         text_member(parse(last->front().data), "cause") == to_string(pause_cause::approval);
}

std::optional<error> check_new_id(const std::string& id) {
  constexpr std::size_t longest = 128;
  const auto fits = [](unsigned char each) {
    return std::isalnum(each) != 0 || each == '-' || each == '_' || each == '.';
  };
  const bool good = !id.empty() && id.size() <= longest && id != "last" && std::ranges::all_of(id, fits) &&
                    std::isalnum(static_cast<unsigned char>(id.front())) != 0;
  if (good) {
    return std::nullopt;
  }
  return error{
      .code = error_code::invalid_input,
      .message = "'" + id + "' cannot be the id of a run",
      .hint = "an id has 1 to 128 letters, digits, '-', '_' and '.', begins with a letter or digit, and is not 'last'"};
}

result<std::vector<run_view>> list_children(read_session& stored, const run_view& run) {
  if (run.children == 0) {
    return std::vector<run_view>{};
  }
  run_filter filter;
  filter.limit = run.children;
  filter.child_of = run.run;
  return stored.list_runs(filter);
}

namespace {

status add_below(read_session& stored, const run_view& run, std::set<run_id>& found) {
  const auto children = list_children(stored, run);
  if (!children) {
    return children.error();
  }
  for (const run_view& child : *children) {
    if (is_final(child.state) || !found.insert(child.run).second) {
      continue;
    }
    if (auto added = add_below(stored, child, found); !added) {
      return added;
    }
  }
  return done;
}

}  // namespace

result<std::vector<gate_view>> list_gates_below(read_session& stored, const run_view& run) {
  std::set<run_id> runs;
  if (auto added = add_below(stored, run, runs); !added) {
    return added.error();
  }
  std::vector<gate_view> gates;
  if (runs.empty()) {
    return gates;
  }
  auto pending = stored.list_pending();
  if (!pending) {
    return pending.error();
  }
  for (pending_view& each : *pending) {
    if (runs.contains(each.gate.run)) {
      gates.push_back(std::move(each.gate));
    }
  }
  return gates;
}

run_id root_of(read_session& stored, const run_view& run) {
  run_view at = run;
  while (at.parent && at.parent_task) {
    auto above = stored.find_run(*at.parent);
    if (!above) {
      break;
    }
    at = *std::move(above);
  }
  return at.run;
}

result<stored_run> load_run(read_session& stored, const run_id& run) {
  auto recovery = stored.load_recovery(run);
  if (!recovery) {
    return recovery.error();
  }
  auto tasks = stored.list_tasks(run);
  if (!tasks) {
    return tasks.error();
  }
  auto verdicts = stored.list_verdicts(run);
  if (!verdicts) {
    return verdicts.error();
  }
  auto gates = stored.list_gates(run);
  if (!gates) {
    return gates.error();
  }
  auto children = list_children(stored, recovery->run);
  if (!children) {
    return children.error();
  }
  auto below = is_final(recovery->run.state) ? result<std::vector<gate_view>>{std::vector<gate_view>{}}
                                             : list_gates_below(stored, recovery->run);
  if (!below) {
    return below.error();
  }
  const run_id root = root_of(stored, recovery->run);
  stored_run loaded{.run = std::move(recovery->run),
                    .tasks = *std::move(tasks),
                    .verdicts = *std::move(verdicts),
                    .judged = {},
                    .gates = *std::move(gates),
                    .children = *std::move(children),
                    .below = *std::move(below),
                    .root = root};
  for (task_view& task : loaded.tasks) {
    const bool was_under_way = task.state == task_state::running || task.state == task_state::validating;
    task.state = loaded.run.abandoned && was_under_way ? task_state::interrupted : task.state;
  }
  const loaded_workflow flow = parse_workflow(recovery->workflow_source, loaded.run.workflow, "");
  if (flow.flow != nullptr) {
    for (const verdict_view& each : loaded.verdicts) {
      loaded.judged.push_back(judge(*flow.flow, loaded.tasks, each));
    }
  }
  return loaded;
}

}  // namespace troupe
