// What a superstep begins with, compared with what the commit before it made of it: the replay's part about fronts.
#include "actors/json/json.hpp"
#include "actors/run/front.hpp"
#include "actors/run/replay.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace troupe {
namespace {

std::string name_of(const step_id& step,
                    const agent_name& agent,
                    std::optional<std::int64_t> item,
                    std::int64_t order) {
  return step.str() + '/' + agent.str() + (item ? '/' + std::to_string(*item) : "") + " at " + std::to_string(order);
}

std::string text_of(const superstep_standing& standing) {
  std::string text;
  for (const auto& each : standing.steps) {
    text += (text.empty() ? "" : ", ") + each.step.str() + " at '" + each.path.str() + '\'';
  }
  for (const auto& each : standing.arrivals) {
    text += "; " + each.from.str() + " has arrived at " + each.join.str() + " by '" + each.path.str() + '\'';
  }
  return text.empty() ? "no step" : text;
}

std::string text_of(const gate_opening& asked) {
  auto text = asked.place.step.str() + " level " + std::to_string(asked.place.level) + " at '" + asked.path.str() +
              "' votes " + std::to_string(asked.votes);
  for (const auto& voter : asked.voters) {
    text += ' ' + voter;
  }
  text += " expires " + (asked.expires ? to_text(*asked.expires) : std::string{"never"}) + ' ';
  text += to_string(asked.on_expiry);
  return text + ' ' + asked.action_hash + ": " + asked.prompt;
}

bool is_same(const task_view& row, const planned_task& task, bool has_keys) {
  return row.step == task.step && row.agent == task.agent && row.order == task.order && row.item == task.item &&
         (!has_keys || row.order_key == task.order_key);
}

}  // namespace

// The column supersteps.front.
std::string run_replay::front_text(const std::vector<planned_task>& tasks) {
  boost::json::array list;
  for (const auto& task : tasks) {
    list.push_back({boost::json::value(task.step.str()), boost::json::value(task.agent.str())});
  }
  return canonical(list).str();
}

void run_replay::check_opening(const recorded_superstep& recorded) {
  if (expected_ && expected_->end) {
    differ(replay_subject::end, "what follows the superstep before", "another superstep", "the end of the run");
    mismatches_.back().step = expected_->end->failed_step;
    plan_.reset();
  } else if (expected_) {
    const auto was = text_of(recorded.row.standing);
    const auto is = text_of(expected_->standing);
    if (recorded.has_standing && was != is) {
      differ(replay_subject::front, "what follows the superstep before", was, is);
      plan_.reset();
    }
    check_gates(recorded, expected_->gates);
    check_front(recorded, expected_->front);
  } else if (const auto front = front_of(recorded)) {
    check_front(recorded, *front);
  }
  gates_.insert(gates_.end(), recorded.opened.begin(), recorded.opened.end());
}

void run_replay::check_gates(const recorded_superstep& recorded, const std::vector<gate_opening>& expected) {
  const auto count = std::max(recorded.opened.size(), expected.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto* was = i < recorded.opened.size() ? &recorded.opened[i].asked : nullptr;
    const auto* is = i < expected.size() ? &expected[i] : nullptr;
    const auto recorded_text = was == nullptr ? std::string{"none"} : text_of(*was);
    const auto replayed_text = is == nullptr ? std::string{"none"} : text_of(*is);
    if (recorded_text != replayed_text) {
      differ(replay_subject::gates, "the gate that is opened", recorded_text, replayed_text);
      mismatches_.back().step = (is == nullptr ? was : is)->place.step;
    }
  }
}

void run_replay::check_front(const recorded_superstep& recorded, const std::vector<planned_task>& expected) {
  std::map<task_id, const task_view*> rows;
  for (const auto& row : recorded.row.tasks) {
    rows.emplace(row.task, &row);
  }
  const auto place = [&](const step_id& step, const task_id& task) {
    mismatches_.back().step = step;
    mismatches_.back().task = task;
  };
  for (const auto& task : expected) {
    const auto found = rows.find(task.id);
    const auto is = name_of(task.step, task.agent, task.item, task.order);
    if (found == rows.end()) {
      mismatch(replay_subject::missing, "the task has no row", "", text_hash(is));
      place(task.step, task.id);
      continue;
    }
    const auto& row = *found->second;
    if (!is_same(row, task, recorded.has_standing)) {
      differ(replay_subject::front,
             "the task's step, agent, element, place or order key",
             name_of(row.step, row.agent, row.item, row.order),
             is);
      place(task.step, task.id);
    }
    rows.erase(found);
  }
  for (const auto& [id, row] : rows) {
    differ(replay_subject::front, "the front", name_of(row->step, row->agent, row->item, row->order), "no such task");
    place(row->step, id);
  }
  if (const auto front = front_text(expected); recorded.front != front) {
    differ(replay_subject::front, "the recorded front", recorded.front, front);
  }
}

// What the recorded standing comes to. None where it leads to steps that are not there, or the state is not known.
std::optional<std::vector<planned_task>> run_replay::front_of(const recorded_superstep& recorded) const {
  const auto& steps = recorded.row.standing.steps;
  const bool is_known =
      std::ranges::all_of(steps, [&](const planned_step& each) { return index_->find(each.step) != nullptr; });
  if (!is_known || !state_) {
    return std::nullopt;
  }
  const bool is_json = parse(std::string_view{state_->str()}).has_value();
  const auto state = is_json ? json_fields::from(*state_) : std::nullopt;
  return state ? std::optional{tasks_of(*flow_, run_.run, recorded.row.superstep, steps, opened_fields{*state})}
               : std::nullopt;
}

}  // namespace troupe
