// EN-2, EN-3, EN-4: the plan against the reference engine, for workflows of any shape in any order of events.
#include "actors/json/json.hpp"
#include "tests/actors/run/random_workflow.hpp"
#include "tests/actors/run/stored_run.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace troupe {
namespace {

namespace json = boost::json;

// What may differ from one way of carrying a workflow out to another.
struct circumstances {
  std::uint64_t seed = 0;
  int max_concurrent = 1;
  bool is_rough = false;  // Crashes, interruptions and retries.
};

struct carried_out {
  reference_run told;
  std::vector<std::string> keys;  // Idempotency keys, task ids, order keys.
};

class carrier {
 public:
  carrier(workflow flow, const reference_world& world, circumstances how)
      : flow_(std::move(flow)), world_(world), how_(how), random_(how.seed), stored_(limited()) {
    progress_.emplace(planned(flow_, stored_.rows()));
  }

  carried_out run() {
    while (carry_on()) {
    }
    made_.told.executed = stored_.rows().run.steps;
    return std::move(made_);
  }

 private:
  const workflow& limited() {
    flow_.limits.max_concurrent = how_.max_concurrent;
    return flow_;
  }

  bool one_in(std::uint64_t count) { return random_() % count == 0; }

  bool carry_on() {
    for (auto& order : progress_->admit()) {
      stored_.started(order);
      live_.push_back(std::move(order));
    }
    EXPECT_LE(static_cast<int>(live_.size()), how_.max_concurrent);
    EXPECT_EQ(progress_->running(), static_cast<int>(live_.size()));
    if (how_.is_rough && one_in(10)) {
      stored_.crashed();
      live_.clear();
      progress_.emplace(planned(flow_, stored_.rows()));
      decided_ = false;
      delayed_.clear();
      for (const auto& waiting : progress_->retries()) {
        delayed_.insert(waiting.task);
      }
      return true;
    }
    if (!decided_ && (live_.empty() || one_in(3))) {
      decide();
      return true;
    }
    if (!live_.empty()) {
      end_one();
      return true;
    }
    for (const auto& task : delayed_) {
      progress_->due(task);
    }
    if (!std::exchange(delayed_, {}).empty()) {
      return true;
    }
    if (!progress_->complete()) {
      ADD_FAILURE() << "stuck in superstep " << progress_->superstep();
      return false;
    }
    return close();
  }

  void decide() {
    decided_ = true;
    const auto now = static_cast<int>(progress_->superstep().value());
    int until = now;
    if (stored_.rows().standing.steps.empty()) {
      int first = 1'000'000;
      for (const auto& gate : stored_.gates()) {
        first = std::min(first, decision_on(gate).superstep);
      }
      until = std::max(now, first);
    }
    for (const auto& gate : std::vector<gate_view>{stored_.gates()}) {
      const auto decided = decision_on(gate);
      if (gate.state != gate_state::open || decided.superstep > until) {
        continue;
      }
      const bool approved = decided.is == reference_decision::kind::approved;
      std::vector<gate_decision> decisions;
      if (decided.by_somebody) {
        decisions.push_back({"ann", approved ? gate_choice::approved : gate_choice::rejected, "", {}, {}, {}});
        decisions.back().state_edit = decided.edit ? std::optional{canonical(*decided.edit)} : std::nullopt;
      }
      stored_.decide(gate.asked.place,
                     decided.is == reference_decision::kind::expired ? gate_state::expired
                     : approved                                      ? gate_state::approved
                                                                     : gate_state::rejected,
                     std::move(decisions));
    }
    progress_->learn(stored_.gates());
  }

  reference_decision decision_on(const gate_view& gate) const {
    const auto& place = gate.asked.place;
    return world_.decide(*find_step(flow_, place.step), static_cast<int>(place.superstep.value()), place.level);
  }

  void end_one() {
    const auto at = live_.begin() + static_cast<std::ptrdiff_t>(random_() % live_.size());
    const auto order = std::move(*at);
    live_.erase(at);
    if (how_.is_rough && one_in(6)) {
      progress_->finished(order.task.id, interrupted());
      stored_.finished(order.task.id, interrupted());
      return;
    }
    if (how_.is_rough && one_in(6)) {
      const auto outcome = retrying(timestamp{std::chrono::seconds{1}});
      progress_->finished(order.task.id, outcome);
      stored_.finished(order.task.id, outcome);
      delayed_.insert(order.task.id);
      return;
    }
    auto outcome = outcome_of(order);
    if (how_.is_rough && outcome.state == task_state::failed && order.waits_for_quorum && one_in(2)) {
      outcome = retrying(std::nullopt);  // Again, if the others are a quorum.
    }
    progress_->finished(order.task.id, outcome);
    stored_.finished(order.task.id, outcome);
  }

  task_outcome outcome_of(const attempt_order& order) const {
    const auto item = order.item ? parse(*order.item) : json::value{};
    const auto& declared = *find_step(flow_, order.task.step);
    const auto agent = declared.agents.empty() ? std::string{} : order.task.agent.str();
    const auto given = world_.work(declared, agent, order.item ? &item : nullptr, parse(*order.state).as_object());
    if (given.failed) {
      return failed();
    }
    auto outcome = completed(canonical(given.value).str());
    for (const auto& [field, value] : given.deltas) {
      outcome.deltas.push_back({field_name{field}, canonical(value)});
    }
    if (given.route) {
      outcome.route.emplace();
      for (const auto& to : *given.route) {
        outcome.route->emplace_back(to);
      }
    }
    return outcome;
  }

  bool close() {
    const auto closed = progress_->close();
    auto& told = made_.told.supersteps.emplace_back();
    told.number = static_cast<int>(closed.superstep.value());
    for (const auto& at : stored_.rows().standing.steps) {
      told.steps.push_back(at.step.str() + '@' + at.path.str());
    }
    for (const auto& task : stored_.rows().tasks) {
      told.tasks.push_back(task.step.str() +
                           (find_step(flow_, task.step)->agents.empty() ? "" : ':' + task.agent.str()) +
                           (task.item ? '/' + std::to_string(*task.item) : ""));
      made_.keys.push_back(task.task.str() + ' ' + std::to_string(task.order_key));
    }
    for (const auto& place : closed.taken) {
      told.taken.push_back(place.step.str() + '/' + std::to_string(place.superstep.value()) + '/' +
                           std::to_string(place.level));
    }
    told.state = parse(closed.state).as_object();
    made_.keys.push_back(closed.idempotency_key);
    if (closed.end) {
      made_.told.code = closed.end->why ? std::string{to_string(closed.end->why->code)} : "";
      made_.told.degraded = closed.end->degraded;
      made_.told.step = closed.end->failed_step ? closed.end->failed_step->str() : "";
      return false;
    }
    progress_->committed(closed);
    stored_.committed(closed);
    decided_ = false;
    if (told.number >= world_.supersteps_max) {
      made_.told.code = "...";
      return false;
    }
    return true;
  }

  workflow flow_;
  const reference_world& world_;
  circumstances how_;
  std::mt19937_64 random_;
  stored_run stored_;
  std::optional<plan> progress_;
  std::vector<attempt_order> live_;
  std::set<task_id> delayed_;
  bool decided_ = false;  // The gates whose time has come in this superstep.
  carried_out made_;
};

std::string text(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) {
    all += ' ' + name;
  }
  return all;
}

std::string text(const reference_run& run) {
  std::string all;
  for (const auto& each : run.supersteps) {
    all += std::to_string(each.number) + ':' + text(each.steps) + " |" + text(each.tasks) + " |" + text(each.taken) +
           "\n    " + words_of(without_words(each.state)) + '\n';
  }
  return all + "end '" + run.code + "' of '" + run.step + (run.degraded ? "', degraded\n" : "'\n");
}

TEST(reference_test, workflows_of_any_shape_come_to_what_the_reference_says) {
  const auto* wanted = std::getenv("TROUPE_SEEDS");  // more of them, for who has time
  const std::uint64_t seeds = wanted != nullptr ? std::stoull(wanted) : 4'000;
  std::map<std::string, int> ends;
  int degraded = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto flow = random_workflow(seed);
    const auto world = random_world(flow, seed);
    const auto expected = run_by_reference(flow, world);
    ++ends[expected.code];
    degraded += expected.code.empty() && expected.degraded ? 1 : 0;
    const auto first = carrier{flow, world, {seed, 1, false}}.run();
    ASSERT_EQ(text(first.told), text(expected)) << "seed " << seed;
    if (expected.code == "MAX_STEPS_EXCEEDED") {
      ASSERT_EQ(first.told.executed, flow.limits.max_steps) << "seed " << seed;
    }
    for (const int max_concurrent : {2, 8, 64}) {
      const auto again =
          carrier{flow, world, {seed * 64 + static_cast<std::uint64_t>(max_concurrent), max_concurrent, true}}.run();
      ASSERT_EQ(text(again.told), text(expected)) << "seed " << seed << ", " << max_concurrent << " at once";
      ASSERT_EQ(again.keys, first.keys) << "seed " << seed << ", " << max_concurrent << " at once";
      ASSERT_EQ(again.told.executed, first.told.executed) << "seed " << seed;
    }
  }
  EXPECT_GT(ends["..."], 0);
  for (const auto* code : {"",
                           "AGENT_EXIT",
                           "CONSENSUS_CONFLICT",
                           "INVALID_INPUT",
                           "MAX_STEPS_EXCEEDED",
                           "MERGE_CONFLICT",
                           "NO_PROGRESS",
                           "NO_ROUTE",
                           "QUORUM_NOT_MET",
                           "TASK_TIMEOUT"}) {
    EXPECT_GT(ends[code], 20) << "of " << seeds << " seeds too few end with '" << code << "'";
  }
  EXPECT_GT(degraded, 20) << "of " << seeds << " seeds too few are completed and degraded";
}

}  // namespace
}  // namespace troupe
