#include "actors/run/replay_outcomes.hpp"

#include "actors/json/json.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe {
namespace {

bool is_json(const json_text& text) { return parse(std::string_view{text.str()}).has_value(); }

// Why the row cannot be the end of a task; empty where it can.
std::string wrong_with(const task_view& row) {
  if (!is_final(row.state)) {
    return "the superstep is committed, but the task is " + std::string{to_string(row.state)};
  }
  if (row.state == task_state::completed && !row.value) {
    return "the task is completed without a value";
  }
  if (row.state != task_state::completed && !row.why) {
    return "the task is " + std::string{to_string(row.state)} + " without an error";
  }
  const bool is_sound = (!row.value || is_json(*row.value)) &&
                        std::ranges::all_of(row.deltas, [](const field_delta& delta) { return is_json(delta.value); });
  return is_sound ? "" : "its value or its deltas are no JSON";
}

std::string text_of(const std::optional<json_text>& value, const std::optional<error>& why) {
  if (value) {
    return value->str();
  }
  return why ? std::string{to_string(why->code)} : "nothing";
}

}  // namespace

recorded_outcomes::recorded_outcomes(const recorded_superstep& recorded,
                                     const std::vector<planned_task>& front,
                                     const replay_reading& reading,
                                     std::function<void(replay_mismatch)> tell)
    : reading_(reading), tell_(std::move(tell)) {
  std::set<task_id> known;
  for (const auto& task : front) {
    known.insert(task.id);
  }
  entries_.reserve(recorded.row.tasks.size());
  for (const auto& task : recorded.row.tasks) {
    if (known.contains(task.task)) {
      entries_.push_back({&task, {}});
    }
  }
  // Who was first decides a race. Rows that cannot tell are in graph order.
  std::ranges::stable_sort(entries_, {}, [](const entry& each) { return each.task->finished_at; });
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    places_[entries_[i].task->task] = i;
  }
  for (const auto& attempt : recorded.attempts) {
    if (const auto found = places_.find(attempt.task); found != places_.end()) {
      entries_[found->second].attempts.push_back(&attempt);
    }
  }
  for (auto& each : entries_) {
    look_at(each);
  }
}

void recorded_outcomes::tell(const entry& of,
                             replay_subject what,
                             std::string message,
                             const recorded_attempt* attempt) {
  replay_mismatch found;
  found.superstep = of.task->superstep;
  found.step = of.task->step;
  found.task = of.task->task;
  found.attempt = attempt == nullptr ? std::nullopt : std::optional{attempt->attempt};
  found.what = what;
  found.message = std::move(message);
  tell_(std::move(found));
}

void recorded_outcomes::differ(const entry& of,
                               replay_subject what,
                               const recorded_attempt* attempt,
                               const std::string& name,
                               std::string_view recorded,
                               std::string_view replayed) {
  replay_mismatch found;
  found.superstep = of.task->superstep;
  found.step = of.task->step;
  found.task = of.task->task;
  found.attempt = attempt == nullptr ? std::nullopt : std::optional{attempt->attempt};
  found.what = what;
  found.expected = text_hash(recorded);
  found.actual = text_hash(replayed);
  found.message = name + " differs: recorded " + cut(recorded) + ", replayed " + cut(replayed);
  tell_(std::move(found));
}

void recorded_outcomes::look_at(entry& recorded) {
  const auto& row = *recorded.task;
  if (auto wrong = wrong_with(row); !wrong.empty()) {
    tell(recorded, replay_subject::damaged, std::move(wrong));
    return;
  }
  recorded.may_be_fed = true;
  const auto* last = recorded.attempts.empty() ? nullptr : recorded.attempts.back();
  if ((last == nullptr ? 0 : last->attempt.value()) != row.attempt.value()) {
    tell(recorded,
         replay_subject::missing,
         "the task is at attempt " + std::to_string(row.attempt.value()) + ", which has no row");
  } else if (last != nullptr && last->state == row.state &&
             text_of(std::nullopt, last->why) != text_of(std::nullopt, row.why)) {
    differ(recorded,
           replay_subject::outcome,
           last,
           "the error of the task",
           text_of(std::nullopt, row.why),
           text_of(std::nullopt, last->why));
  }
}

// The plan gives out what may begin. What never began is held back, as it was then: by limits outside of the plan.
void recorded_outcomes::given_out(plan& progress, const attempt_order& order) {
  const auto found = places_.find(order.task.id);
  if (found == places_.end()) {
    return;  // told as a difference of the front
  }
  auto& recorded = entries_[found->second];
  if (recorded.task->attempt.value() == 0) {
    progress.hold(order.task.id);
    return;
  }
  recorded.is_out = true;
  check_request(recorded, order);
  check_output(recorded, order);
}

void recorded_outcomes::check_request(const entry& recorded, const attempt_order& order) {
  const bool is_recorded = std::ranges::any_of(
      recorded.attempts, [](const recorded_attempt* attempt) { return !attempt->request_hash.empty(); });
  if (!reading_.request_hash || !is_recorded) {
    return;
  }
  const auto hash = reading_.request_hash(order);
  for (const auto* attempt : recorded.attempts) {
    if (!attempt->request_hash.empty() && attempt->request_hash != hash) {
      replay_mismatch found;
      found.superstep = recorded.task->superstep;
      found.step = recorded.task->step;
      found.task = recorded.task->task;
      found.attempt = attempt->attempt;
      found.what = replay_subject::request;
      found.expected = attempt->request_hash;
      found.actual = hash;
      found.message = "the attempt would be asked something else: prompt, arguments, agent, model or command";
      tell_(std::move(found));
    }
  }
}

void recorded_outcomes::check_output(const entry& recorded, const attempt_order& order) {
  if (!reading_.read_again || recorded.attempts.empty()) {
    return;
  }
  const auto& last = *recorded.attempts.back();
  if (last.state != recorded.task->state || !recorded.may_be_fed) {
    return;
  }
  const auto again = reading_.read_again(order, last);
  if (!again) {
    return;
  }
  const auto was = text_of(recorded.task->value, recorded.task->why);
  const auto is = text_of(again->value, again->why);
  if (was != is) {
    const auto why = again->why ? ": " + again->why->message : std::string{};
    differ(recorded, replay_subject::output, &last, "what the output says" + why, was, is);
  }
}

recorded_outcomes::entry* recorded_outcomes::next_to_feed() {
  const auto waits = [](const entry& each) { return each.may_be_fed && !each.is_fed; };
  // Of a task that never began the plan knows what became of it, where it was cancelled: nothing has to be told.
  const auto ended_from_outside = [](const entry& each) {
    return each.task->attempt.value() > 0 || each.task->state == task_state::failed;
  };
  const auto out = std::ranges::find_if(entries_, [&](const entry& each) { return waits(each) && each.is_out; });
  if (out != entries_.end()) {
    return &*out;
  }
  const auto other =
      std::ranges::find_if(entries_, [&](const entry& each) { return waits(each) && ended_from_outside(each); });
  return other == entries_.end() ? nullptr : &*other;
}

void recorded_outcomes::feed(plan& progress) {
  while (!progress.complete()) {
    for (const auto& order : progress.admit()) {
      given_out(progress, order);
    }
    auto* next = next_to_feed();
    if (next == nullptr) {
      return;
    }
    next->is_fed = true;
    const auto& row = *next->task;
    progress.finished(row.task, outcome_of(row), row.first_started, row.finished_at);
  }
}

}  // namespace troupe
