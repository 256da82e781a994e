// Runs carried out again from their journals: equal, and each thing that was changed afterwards named in its place.
#include "actors/run/replay.hpp"

#include "actors/run/order.hpp"
#include "tests/actors/run/journal_material.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

replay_reading reading() {
  replay_reading made;
  made.request_hash = [](const attempt_order& order) { return "asked " + order.prompt; };
  made.read_again = [](const attempt_order&, const recorded_attempt& recorded) -> std::optional<task_outcome> {
    return recorded.state == task_state::completed ? std::optional{completed(recorded.standard_output)} : std::nullopt;
  };
  return made;
}

run_replay replayed(const recorded_run& recorded, replay_mode mode = replay_mode::strict) {
  auto replay = run_replay::begin(recorded.flow, known_executors(), recorded.run, reading(), mode);
  EXPECT_TRUE(replay) << replay.error().message;
  for (const auto& row : recorded.rows) {
    if (!replay->check(row)) {
      break;
    }
  }
  replay->finish();
  return *std::move(replay);
}

std::string lines_of(const run_replay& replay) {
  std::string all;
  for (const auto& found : replay.mismatches()) {
    all += std::string{to_string(found.what)} + ": " + error_of(found).message + '\n';
  }
  return all;
}

step gate_step(const std::string& id, const std::vector<std::string>& next) {
  auto made = function_step(id, next);
  made.function.reset();
  made.gate.emplace().levels.emplace_back().prompt = "Go on with {{run.subject}}?";
  return made;
}

// A function, two agents, a gate, a function with a route of its own, and one to end with.
workflow every_kind() {
  auto asks = agent_step("ask", {"a", "b"}, {"gate"});
  asks.prompt = "What of {{state.first}}?";
  asks.consensus.emplace().quorum = 1;
  auto flow = flow_of({function_step("first", {"ask"}),
                       asks,
                       gate_step("gate", {"branch"}),
                       function_step("branch", {"left", "right"}),
                       function_step("left"),
                       function_step("right")});
  flow.name = "every_kind";
  return flow;
}

recorded_run recorded_every_kind() {
  return journal_maker{every_kind(),
                       1,
                       [](const attempt_order& order) {
                         if (order.task.step.str() == "branch") {
                           auto outcome = completed("1", {{field_name{"mark"}, json_text{"\"x\""}}});
                           outcome.route = {step_id{"left"}};
                           return outcome;
                         }
                         if (order.task.agent.str() == "b") {
                           return order.attempt.value() == 1 ? retrying(timestamp{}) : failed();
                         }
                         return completed(order.task.superstep.value() == 1 ? "{\"a\":1}" : "\"yes\"");
                       }}
      .carry_out();
}

TEST(replay_test, a_run_is_what_its_journal_says) {
  const auto recorded = recorded_every_kind();
  EXPECT_EQ(recorded.run.supersteps, 5) << (recorded.run.why ? recorded.run.why->message : "");
  const auto replay = replayed(recorded);
  EXPECT_EQ(lines_of(replay), "");
  EXPECT_EQ(replay.supersteps(), recorded.run.supersteps);
  EXPECT_EQ(replay.tasks(), 5);
}

TEST(replay_test, what_is_committed_of_an_unfinished_run_is_replayed) {
  const auto whole = recorded_every_kind();
  for (std::int64_t committed = 0; committed < whole.run.supersteps; ++committed) {
    auto part = whole;
    part.rows.resize(static_cast<std::size_t>(committed) + 2);
    auto& open = part.rows.back();
    open.committed_at.reset();
    open.state.reset();
    part.run.supersteps = committed;
    part.run.state = run_state::paused;
    part.run.why.reset();
    part.run.state_hash = part.at(committed).row.state_hash;
    const auto replay = replayed(part);
    EXPECT_EQ(lines_of(replay), "") << committed;
    EXPECT_EQ(replay.supersteps(), committed);
  }
}

struct drift {
  const char* name;
  replay_subject what;
  std::int64_t superstep;
  const char* step;
  std::function<void(recorded_run&)> change;
};

void PrintTo(const drift& one, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << one.name;
}

class replay_drift_test : public testing::TestWithParam<drift> {};

TEST_P(replay_drift_test, is_named_in_its_place) {
  auto recorded = recorded_every_kind();
  GetParam().change(recorded);
  const auto replay = replayed(recorded);
  ASSERT_FALSE(replay.mismatches().empty());
  const auto& first = replay.mismatches().front();
  EXPECT_EQ(to_string(first.what), to_string(GetParam().what)) << lines_of(replay);
  EXPECT_EQ(first.superstep.value(), GetParam().superstep) << lines_of(replay);
  EXPECT_EQ(first.step ? first.step->str() : "", GetParam().step) << lines_of(replay);
  EXPECT_EQ(error_of(first).code, error_code::replay_mismatch);
  const bool is_unreadable = first.what == replay_subject::damaged || first.what == replay_subject::missing;
  EXPECT_TRUE(is_unreadable || (!first.expected.empty() && !first.actual.empty() && first.expected != first.actual))
      << lines_of(replay);
  EXPECT_GE(replayed(recorded, replay_mode::lenient).mismatches().size(), replay.mismatches().size());
}

INSTANTIATE_TEST_SUITE_P(
    all,
    replay_drift_test,
    testing::Values(
        drift{"the initial state",
              replay_subject::state,
              0,
              "",
              [](recorded_run& run) { run.at(0).state = json_text{R"({"more":1})"}; }},
        drift{"the hash of the initial state",
              replay_subject::state,
              0,
              "",
              [](recorded_run& run) { run.at(0).row.state_hash = "sha256:0"; }},
        drift{"a value whose output is there",
              replay_subject::output,
              1,
              "first",
              [](recorded_run& run) { run.task(1).value = json_text{R"({"a":2})"}; }},
        drift{"a value alone",
              replay_subject::deltas,
              1,
              "first",
              [](recorded_run& run) {
                run.task(1).value = json_text{R"({"a":2})"};
                run.at(1).attempts[0].standard_output = R"({"a":2})";
              }},
        drift{"an output",
              replay_subject::output,
              2,
              "ask",
              [](recorded_run& run) { run.at(2).attempts[0].standard_output = "\"no\""; }},
        drift{"a request",
              replay_subject::request,
              2,
              "ask",
              [](recorded_run& run) { run.at(2).attempts[0].request_hash = "asked something else"; }},
        drift{"a request of an earlier attempt",
              replay_subject::request,
              2,
              "ask",
              [](recorded_run& run) { run.at(2).attempts[1].request_hash = "asked something else"; }},
        drift{"the error of a task",
              replay_subject::outcome,
              2,
              "ask",
              [](recorded_run& run) { run.task(2, 1).why->code = error_code::internal; }},
        drift{"the deltas of a task",
              replay_subject::deltas,
              4,
              "branch",
              [](recorded_run& run) { run.task(4).deltas[0].value = json_text{"\"y\""}; }},
        drift{"a route",
              replay_subject::front,
              5,
              "",
              [](recorded_run& run) { run.task(4).route = std::vector<step_id>{step_id{"right"}}; }},
        drift{"a route that leads nowhere",
              replay_subject::end,
              5,
              "branch",
              [](recorded_run& run) { run.task(4).route = std::vector<step_id>{step_id{"nobody"}}; }},
        drift{"the deltas of a superstep",
              replay_subject::deltas,
              1,
              "first",
              [](recorded_run& run) { run.at(1).row.deltas = json_text{R"([["first","work","first",2]])"}; }},
        drift{"a state",
              replay_subject::state,
              3,
              "",
              [](recorded_run& run) { run.at(3).state = json_text{R"({"first":1})"}; }},
        drift{"the hash of a state",
              replay_subject::state,
              3,
              "",
              [](recorded_run& run) { run.at(3).row.state_hash = "sha256:0"; }},
        drift{
            "a key", replay_subject::key, 2, "", [](recorded_run& run) { run.at(2).row.idempotency_key = "sha256:0"; }},
        drift{"a front",
              replay_subject::front,
              4,
              "",
              [](recorded_run& run) { run.at(4).front = R"([["left","work"]])"; }},
        drift{"where a superstep stands",
              replay_subject::front,
              5,
              "",
              [](recorded_run& run) { run.at(5).row.standing.steps[0].step = step_id{"right"}; }},
        drift{"who carries a task out",
              replay_subject::front,
              4,
              "branch",
              [](recorded_run& run) { run.task(4).agent = agent_name{"somebody"}; }},
        drift{"the decision on a gate",
              replay_subject::deltas,
              3,
              "gate",
              [](recorded_run& run) {
                for (auto& gate : run.at(3).opened) {
                  gate.state = gate.state == gate_state::approved ? gate_state::rejected : gate_state::approved;
                }
              }},
        drift{"what a gate asks",
              replay_subject::gates,
              3,
              "gate",
              [](recorded_run& run) { run.at(3).opened[0].asked.prompt = "Sure?"; }},
        drift{"a gate that is gone",
              replay_subject::gates,
              3,
              "gate",
              [](recorded_run& run) { run.at(3).opened.clear(); }},
        drift{"a task that is gone",
              replay_subject::missing,
              2,
              "ask",
              [](recorded_run& run) { run.at(2).row.tasks.pop_back(); }},
        drift{"a superstep that is gone",
              replay_subject::missing,
              3,
              "",
              [](recorded_run& run) { run.rows.erase(run.rows.begin() + 3); }},
        drift{"the last superstep that is gone",
              replay_subject::missing,
              5,
              "",
              [](recorded_run& run) { run.rows.pop_back(); }},
        drift{"an attempt that is gone",
              replay_subject::missing,
              4,
              "branch",
              [](recorded_run& run) { run.at(4).attempts.clear(); }},
        drift{"a value that is no JSON",
              replay_subject::damaged,
              2,
              "ask",
              [](recorded_run& run) { run.task(2).value = json_text{"{"}; }},
        drift{"deltas that are no JSON",
              replay_subject::damaged,
              1,
              "",
              [](recorded_run& run) { run.at(1).row.deltas = json_text{"["}; }},
        drift{"an outcome that is none",
              replay_subject::damaged,
              4,
              "branch",
              [](recorded_run& run) { run.task(4).state = task_state::running; }},
        drift{"a row that cannot be read",
              replay_subject::damaged,
              4,
              "",
              [](recorded_run& run) {
                run.at(4).damage.push_back({error_code::storage_corrupt, "it is torn", ""});
              }},
        drift{"a decision that was never made",
              replay_subject::damaged,
              3,
              "gate",
              [](recorded_run& run) { run.at(3).opened[0].state = gate_state::open; }},
        drift{"what the run came to",
              replay_subject::end,
              5,
              "",
              [](recorded_run& run) { run.run.state = run_state::cancelled; }},
        drift{"the hash of the run's state",
              replay_subject::state,
              5,
              "",
              [](recorded_run& run) { run.run.state_hash = "sha256:0"; }},
        drift{"the error of the run", replay_subject::end, 5, "", [](recorded_run& run) {
                run.run.why = error{error_code::internal, "it did not", ""};
              }}));

TEST(replay_test, lenient_names_all_and_goes_on_with_what_is_recorded) {
  auto recorded = recorded_every_kind();
  recorded.at(2).row.idempotency_key = "sha256:2";
  recorded.at(4).row.idempotency_key = "sha256:4";
  EXPECT_EQ(replayed(recorded).mismatches().size(), 1U);
  const auto replay = replayed(recorded, replay_mode::lenient);
  ASSERT_EQ(replay.mismatches().size(), 2U) << lines_of(replay);
  EXPECT_EQ(replay.mismatches()[1].superstep.value(), 4);
  EXPECT_EQ(replay.supersteps(), 5);
}

TEST(replay_test, a_race_is_won_by_whoever_was_first) {
  auto asks = agent_step("ask", {"a", "b", "c"});
  asks.consensus.emplace().strategy = consensus_strategy::race;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto recorded = journal_maker{
        flow_of({asks}), seed, [](const attempt_order& order) {
          return completed('"' + order.task.agent.str() + '"');
        }}.carry_out();
    EXPECT_EQ(lines_of(replayed(recorded)), "") << seed;
  }
}

workflow random_flow(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto count = 2 + random() % 7;
  const std::vector<std::string> agents{"a", "b", "c"};
  const reducer how[] = {reducer::append, reducer::set_union, reducer::last, reducer::sum, reducer::max, reducer::fail};
  std::vector<step> steps;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::vector<std::string> next;
    for (auto left = random() % 3; left > 0; --left) {
      next.push_back("s" + std::to_string(random() % count));
    }
    const auto id = "s" + std::to_string(i);
    switch (random() % 5) {
      case 0:
        steps.push_back(gate_step(id, next));
        break;
      case 1: {
        auto& each = steps.emplace_back(function_step(id, next));
        each.map = map_policy{"/list", "file", {}, each.function, {}, {}, random() % 2 == 0 ? 0 : 1};
        each.function.reset();
        break;
      }
      case 2:
        steps.push_back(function_step(id, next));
        break;
      default: {
        auto& asks = steps.emplace_back(
            agent_step(id, {agents.begin(), agents.begin() + static_cast<std::ptrdiff_t>(1 + random() % 3)}, next));
        const consensus_strategy ways[] = {
            consensus_strategy::vote, consensus_strategy::collect, consensus_strategy::race};
        asks.consensus.emplace().strategy = ways[random() % 3];
        asks.consensus->quorum = 1;
        asks.prompt = "What of {{state.list}}?";
      }
    }
    auto& made = steps.back();
    made.output = field_name{random() % 4 == 0 ? "shared" : id};
    if (random() % 3 == 0) {
      made.on_error = step_id{"s" + std::to_string(random() % count)};
    }
    if (i > 1 && random() % 5 == 0) {
      made.join = {step_id{"s0"}, step_id{"s1"}};
    }
  }
  auto flow = flow_of(std::move(steps));
  flow.state.push_back({field_name{"list"}, json_text{"[1,2,3]"}, reducer::last, {}});
  flow.state.push_back({field_name{"shared"}, std::nullopt, how[random() % 6], {}});
  flow.limits.max_steps = static_cast<std::int64_t>(5 + random() % 30);
  flow.limits.max_concurrent = static_cast<int>(1 + random() % 4);
  return flow;
}

task_outcome outcome_of(const attempt_order& order) {
  const auto random = task_seed(order.run, order.task.id, order.attempt) ^ run_seed(run_id{order.state->str()});
  if (random % 12 == 0) {
    return failed();
  }
  if (random % 6 == 1 && order.attempt.value() < 3) {
    return retrying(order.waits_for_quorum && random % 12 == 1 ? std::nullopt : std::optional{timestamp{}});
  }
  auto outcome = completed(std::to_string(random % 3));
  if (order.spec.kind == agent_kind::function && !order.item && random % 4 == 1) {
    outcome.deltas = {{field_name{"shared"}, json_text{std::to_string(random % 5)}},
                      {field_name{order.task.step.str()}, json_text{"[1]"}}};
  }
  return outcome;
}

TEST(replay_test, workflows_of_any_shape_are_what_their_journals_say) {
  std::map<run_state, int> ends;
  int with_gates = 0;
  std::int64_t supersteps = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const auto recorded = journal_maker{random_flow(seed), seed, outcome_of}.carry_out(40);
    const auto replay = replayed(recorded);
    ASSERT_EQ(lines_of(replay), "") << "seed " << seed;
    ASSERT_EQ(replay.supersteps(), recorded.run.supersteps) << "seed " << seed;
    supersteps += replay.supersteps();
    ++ends[recorded.run.state];
    with_gates += std::ranges::any_of(recorded.rows, [](const auto& row) { return !row.row.taken.empty(); }) ? 1 : 0;
  }
  EXPECT_GT(ends[run_state::completed], 50);  // the seeds reach what they are for
  EXPECT_GT(ends[run_state::failed], 50);
  EXPECT_GT(with_gates, 50);
  EXPECT_GT(supersteps, 2'000);
}

}  // namespace
}  // namespace troupe
