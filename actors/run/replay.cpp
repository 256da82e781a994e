#include "actors/run/replay.hpp"

#include "actors/json/json.hpp"
#include "actors/run/front.hpp"
#include "actors/run/replay_outcomes.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

std::string text_of(run_state state, const std::optional<error>& why, const std::optional<step_id>& step) {
  return std::string{to_string(state)} + (why ? ": " + std::string{to_string(why->code)} + ' ' + why->message : "") +
         (step ? " in step '" + step->str() + '\'' : "");
}

task_view row_of(const planned_task& task) {
  task_view row;
  row.task = task.id;
  row.superstep = task.superstep;
  row.step = task.step;
  row.agent = task.agent;
  row.order = task.order;
  row.item = task.item;
  row.order_key = task.order_key;
  return row;
}

bool edits_are_json(const gate_view& gate) {
  return std::ranges::all_of(gate.decisions, [](const gate_decision& decision) {
    return !decision.state_edit || parse(std::string_view{decision.state_edit->str()}).has_value();
  });
}

}  // namespace

result<run_replay> run_replay::begin(workflow_ptr flow,
                                     std::shared_ptr<const executors> with,
                                     const run_view& run,
                                     replay_reading reading,
                                     replay_mode mode) {
  if (!parse(std::string_view{run.inputs.str()})) {
    return error{error_code::invalid_input,
                 "the inputs of run " + run.run.str() + " are not JSON any more",
                 "`troupe db check` tells more"};
  }
  run_replay made;
  made.flow_ = std::move(flow);
  made.index_ = std::make_shared<const step_index>(*made.flow_);
  made.with_ = std::move(with);
  made.run_ = run;
  made.reading_ = std::move(reading);
  made.mode_ = mode;
  made.next_ = run.forked_at.value_or(superstep_no{});
  made.at_ = made.next_;
  if (run.forked_at) {
    return made;  // what it begins with is given, and follows from nothing in its own rows
  }
  auto rows = first_rows(*made.flow_, run.inputs, run.subject, run.run);
  if (!rows) {
    return rows.error();
  }
  made.initial_state_ = std::move(rows->initial_state);
  made.expected_ = expectation{std::move(rows->standing), std::move(rows->front), std::move(rows->gates), std::nullopt};
  return made;
}

void run_replay::mismatch(replay_subject what, std::string message, std::string expected, std::string actual) {
  auto& found = mismatches_.emplace_back();
  found.superstep = at_;
  found.what = what;
  found.expected = std::move(expected);
  found.actual = std::move(actual);
  found.message = std::move(message);
}

void run_replay::differ(replay_subject what,
                        const std::string& name,
                        std::string_view recorded,
                        std::string_view replayed) {
  mismatch(what,
           name + " differs: recorded " + cut(recorded) + ", replayed " + cut(replayed),
           text_hash(recorded),
           text_hash(replayed));
}

bool run_replay::check(const recorded_superstep& recorded) {
  const auto superstep = recorded.row.superstep;
  if (superstep < next_ || !goes_on()) {
    return goes_on();
  }
  tell_missing(superstep);
  at_ = superstep;
  next_ = superstep_no{at_.value() + 1};
  for (const auto& damage : recorded.damage) {
    mismatch(replay_subject::damaged, damage.message);
  }
  if (!goes_on()) {
    return false;
  }
  if (at_ == run_.forked_at.value_or(superstep_no{})) {
    check_first(recorded);
    return goes_on();
  }
  check_opening(recorded);
  if (at_.value() <= run_.supersteps && goes_on()) {
    carry_out(recorded);
  } else {
    expected_.reset();
  }
  return goes_on();
}

// Those before `until`. Behind a gap the journal speaks for itself.
void run_replay::tell_missing(superstep_no until) {
  for (; next_ < until; next_ = superstep_no{next_.value() + 1}) {
    at_ = next_;
    mismatch(replay_subject::missing,
             "the superstep has no row",
             "",
             expected_ ? text_hash(front_text(expected_->front)) : std::string{});
    plan_.reset();
    expected_.reset();
    state_.reset();
    state_hash_.clear();
  }
}

// What a run begins with. Of a fork nothing is known that it could be compared with, but its own hash.
void run_replay::check_first(const recorded_superstep& recorded) {
  state_ = recorded.state;
  if (!state_) {
    return;
  }
  if (!run_.forked_at && *state_ != initial_state_) {
    differ(replay_subject::state, "the initial state", state_->str(), initial_state_.str());
  }
  state_hash_ = state_hash(*state_);
  if (recorded.row.state_hash != state_hash_) {
    mismatch(replay_subject::state,
             "the state does not have the hash that was recorded with it",
             recorded.row.state_hash,
             state_hash_);
  }
}

void run_replay::carry_out(const recorded_superstep& recorded) {
  ++supersteps_;
  tasks_ += static_cast<std::int64_t>(recorded.row.tasks.size());
  state_hash_.clear();
  if (!open_plan(recorded) || !feed(recorded)) {
    plan_.reset();
    expected_.reset();
  } else {
    close(recorded);
  }
  executed_ +=
      std::ranges::count_if(recorded.row.tasks, [](const task_view& task) { return task.attempt.value() > 0; });
  std::erase_if(gates_, [&](const gate_view& gate) { return gate.taken_at && *gate.taken_at <= at_; });
  state_ = recorded.state;
}

// The plan that came along, or, after a difference, one of what is recorded. False: that leads nowhere.
bool run_replay::open_plan(const recorded_superstep& recorded) {
  if (plan_ && expected_) {
    front_ = expected_->front;
    return true;
  }
  auto front = front_of(recorded);
  if (!front) {
    return false;
  }
  front_ = *std::move(front);
  recovery_view rows;
  rows.run = run_;
  rows.run.result = *state_;
  rows.run.steps = executed_;
  rows.run.degraded = false;
  rows.superstep = at_;
  rows.standing = recorded.row.standing;
  std::ranges::transform(front_, std::back_inserter(rows.tasks), row_of);
  auto restored = plan::restore(flow_, rows, with_);
  if (!restored) {
    return false;
  }
  plan_ = *std::move(restored);
  return true;
}

// False: by what is recorded the superstep could not have been committed.
bool run_replay::feed(const recorded_superstep& recorded) {
  const auto before = mismatches_.size();
  plan_->learn(gates_at(recorded));
  recorded_outcomes outcomes{
      recorded, front_, reading_, [&](replay_mismatch found) { mismatches_.push_back(std::move(found)); }};
  outcomes.feed(*plan_);
  if (plan_->complete()) {
    return true;
  }
  if (mismatches_.size() == before) {
    mismatch(replay_subject::outcome, "the superstep is committed, but by what is recorded it is not complete");
  }
  return false;
}

// As they were when the superstep was closed: decided where its commit took them, else not yet. What is no gate of the
// workflow was told when it was opened.
std::vector<gate_view> run_replay::gates_at(const recorded_superstep& recorded) {
  std::vector<gate_view> all;
  for (auto gate : gates_) {
    const auto* declared = index_->find(gate.asked.place.step);
    if (declared == nullptr || !declared->gate || gate.asked.place.level < 1 ||
        gate.asked.place.level > std::ssize(declared->gate->levels)) {
      continue;
    }
    const bool is_taken = gate.taken_at == recorded.row.superstep;
    const bool is_decided = gate.state != gate_state::open && gate.state != gate_state::cancelled;
    const bool is_sound = edits_are_json(gate);
    if (is_taken && !(is_decided && is_sound)) {
      mismatch(replay_subject::damaged,
               is_decided ? "a decision on the gate edits the state by what is no JSON"
                          : "the commit took a decision of the gate, which has none");
      mismatches_.back().step = gate.asked.place.step;
    }
    gate.taken_at.reset();
    gate.state = is_taken && is_decided && is_sound ? gate.state : gate_state::open;
    all.push_back(std::move(gate));
  }
  return all;
}

void run_replay::close(const recorded_superstep& recorded) {
  const auto before = mismatches_.size();
  auto closed = plan_->close();
  closed.at = recorded.committed_at.value_or(timestamp{});
  check_deltas(recorded, closed.deltas);
  if (recorded.state && *recorded.state != closed.state) {
    differ(replay_subject::state, "the state", recorded.state->str(), closed.state.str());
  }
  if (recorded.row.state_hash != closed.state_hash) {
    mismatch(replay_subject::state, "the hash of the state differs", recorded.row.state_hash, closed.state_hash);
  }
  if (recorded.row.idempotency_key != closed.idempotency_key) {
    mismatch(replay_subject::key, "the idempotency key differs", recorded.row.idempotency_key, closed.idempotency_key);
  }
  state_hash_ = closed.state_hash;
  expected_ = expectation{closed.next, closed.next_front, closed.gates, closed.end};
  plan_->committed(closed);
  if (mismatches_.size() > before || closed.end) {
    plan_.reset();  // what follows is carried out from what is recorded
  }
}

void run_replay::check_deltas(const recorded_superstep& recorded, const json_text& replayed) {
  if (recorded.row.deltas == replayed) {
    return;
  }
  const auto was = parse(std::string_view{recorded.row.deltas.str()});
  if (!was || !was->is_array()) {
    mismatch(replay_subject::damaged, "the deltas are no list of JSON");
    return;
  }
  const auto is = parse(replayed);
  const auto& left = was->get_array();
  const auto& right = is.get_array();
  std::size_t first = 0;
  while (first < std::min(left.size(), right.size()) && left[first] == right[first]) {
    ++first;
  }
  const auto text = [&](const boost::json::array& list) {
    return first < list.size() ? canonical(list[first]).str() : std::string{"nothing"};
  };
  differ(replay_subject::deltas, "delta " + std::to_string(first + 1), text(left), text(right));
  const auto& named = first < right.size() ? right : left;
  const auto* parts = first < named.size() ? named[first].if_array() : nullptr;
  const auto* step = parts == nullptr || parts->empty() ? nullptr : parts->front().if_string();
  if (step != nullptr) {
    mismatches_.back().step = step_id{std::string{*step}};
  }
}

void run_replay::finish() {
  if (!goes_on()) {
    return;
  }
  const superstep_no last{run_.supersteps};
  tell_missing(superstep_no{last.value() + 1});
  at_ = last;
  if (!state_hash_.empty() && run_.state_hash != state_hash_) {
    mismatch(replay_subject::state, "the hash of the run's state differs", run_.state_hash, state_hash_);
  }
  if (expected_) {
    check_end();
  }
}

// The plan's word about the last superstep, which nothing followed.
void run_replay::check_end() {
  if (!expected_->end) {
    at_ = next_;
    mismatch(replay_subject::missing,
             "the superstep has no row, and the run is " + std::string{to_string(run_.state)},
             "",
             text_hash(front_text(expected_->front)));
    return;
  }
  const auto was = text_of(run_.state, run_.why, run_.failed_step);
  const auto is = text_of(expected_->end->state, expected_->end->why, expected_->end->failed_step);
  if (was != is) {
    differ(replay_subject::end, "what the run came to", was, is);
  }
}

}  // namespace troupe
