// EN-2, EN-3: many ways of carrying one workflow out, one hash. The plan alone, so that a thousand of them take a second.
#include "actors/json/json.hpp"
#include "tests/actors/run/plan_material.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>

namespace troupe {
namespace {

using work = std::function<task_outcome(const attempt_order&)>;

// The keys of all supersteps and the last state's hash, its tasks ended in an order that hangs on the seed.
std::string carried_out(workflow flow, const work& what, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  flow.limits.max_concurrent = static_cast<int>(1 + random() % 8);
  auto progress = planned(flow);
  std::vector<attempt_order> live;
  std::string keys;
  while (true) {
    for (auto& order : progress.admit()) {
      live.push_back(std::move(order));
    }
    if (!live.empty()) {
      const auto at = live.begin() + static_cast<std::ptrdiff_t>(random() % live.size());
      const auto outcome = what(*at);
      progress.finished(at->task.id, outcome);
      live.erase(at);
      continue;
    }
    const auto closed = progress.close();
    keys += closed.idempotency_key + '\n';
    if (closed.end) {
      return keys + std::string{to_string(closed.end->state)} + ' ' + closed.state.str() + ' ' + closed.state_hash;
    }
    progress.committed(closed);
  }
}

std::set<std::string> all_ways(const workflow& flow, const work& what, std::uint64_t times) {
  std::set<std::string> ways;
  for (std::uint64_t seed = 1; seed <= times; ++seed) {
    ways.insert(carried_out(flow, what, seed));
  }
  return ways;
}

// Draws from the attempt's own stream, as probe.rng does.
task_outcome drawn(const attempt_order& order) {
  std::mt19937_64 stream{order.seed};
  return completed(std::to_string(stream() >> 11U));
}

void append_to(workflow& flow, const std::string& field) {
  flow.state.push_back({field_name{field}, json_text{"[]"}, reducer::append, {}});
  for (auto& each : flow.steps) {
    each.output = field_name{field};
  }
}

TEST(one_hash_test, three_branches_that_draw_at_random_a_thousand_times) {
  auto flow =
      flow_of({function_step("start", {"a", "b", "c"}), function_step("a"), function_step("b"), function_step("c")});
  append_to(flow, "drawn");
  const auto ways = all_ways(flow, drawn, 1'000);
  ASSERT_EQ(ways.size(), 1U) << *ways.begin() << "\n\n" << *ways.rbegin();
  EXPECT_NE(ways.begin()->find("completed"), std::string::npos);
  const auto& end = *ways.begin();
  const auto drawn_numbers = end.substr(end.find('['), end.find(']') - end.find('['));
  EXPECT_EQ(std::ranges::count(drawn_numbers, ','), 3) << end;
}

TEST(one_hash_test, five_branches_in_every_order) {
  auto flow = flow_of({function_step("start", {"e", "d", "c", "b", "a"}),
                       function_step("a"),
                       function_step("b"),
                       function_step("c"),
                       function_step("d"),
                       function_step("e")});
  append_to(flow, "told");
  const work names_itself = [](const attempt_order& order) { return completed(json_string(order.task.step.str())); };
  const auto ways = all_ways(flow, names_itself, 1'000);
  ASSERT_EQ(ways.size(), 1U);
  EXPECT_NE(ways.begin()->find(R"({"told":["start","e","d","c","b","a"]})"), std::string::npos)
      << "the order of the file's routes: " << *ways.begin();
}

TEST(one_hash_test, a_loop_inside_a_fan_out_two_hundred_times) {
  auto again = function_step("again");
  condition not_yet;
  not_yet.pointer = "/rounds";
  not_yet.compares = comparison::lt;
  not_yet.value = json_text{"20"};
  again.next = {{step_id{"again"}, not_yet, {}}, {step_id{"last"}, std::nullopt, {}}};
  auto flow = flow_of({function_step("start", {"left", "again", "right"}),
                       again,
                       function_step("left", {"further"}),
                       function_step("further", {"left", "right"}),
                       function_step("right"),
                       function_step("last")});
  append_to(flow, "drawn");
  flow.steps[1].output = field_name{"rounds"};
  flow.state.push_back({field_name{"rounds"}, json_text{"0"}, reducer::sum, {}});
  flow.limits.max_steps = 100;
  const work counts = [](const attempt_order& order) {
    return order.task.step.str() == "again" ? completed("1") : drawn(order);
  };
  const auto ways = all_ways(flow, counts, 200);
  ASSERT_EQ(ways.size(), 1U);
  EXPECT_NE(ways.begin()->find(R"("rounds":20)"), std::string::npos);
}

TEST(one_hash_test, each_of_a_chain_of_a_thousand_sees_what_the_one_before_wrote) {
  constexpr int length = 1'000;
  std::vector<step> steps;
  for (int k = 0; k < length; ++k) {
    steps.push_back(function_step("s" + std::to_string(k), {"s" + std::to_string(k + 1)}));
    steps.back().output = field_name{"n"};
  }
  steps.back().next.clear();
  auto flow = flow_of(std::move(steps));
  flow.state.push_back({field_name{"n"}, json_text{"0"}, reducer::sum, {}});
  int expected = 0;
  const work counts = [&](const attempt_order& order) {
    EXPECT_EQ(order.state->str(), "{\"n\":" + std::to_string(expected++) + '}');
    return completed("1");
  };
  EXPECT_NE(carried_out(flow, counts, 1).find(R"(completed {"n":1000})"), std::string::npos);
}

// Frozen: computed by Python's hashlib. What stands in databases is compared with it.
TEST(one_hash_test, keys_and_orders_of_a_whole_run_are_frozen) {
  auto each = function_step("each", {"both"});
  each.map = map_policy{"/files", "file", {}, std::exchange(each.function, std::nullopt), {}, {}, 0};
  auto both = function_step("both");
  both.join = {step_id{"each"}, step_id{"beside"}};
  auto flow = flow_of({function_step("start", {"each", "beside"}), each, function_step("beside", {"both"}), both});
  flow.state.push_back({field_name{"files"}, json_text{R"(["x","y"])"}, reducer::last, {}});
  EXPECT_EQ(carried_out(
                flow, [](const attempt_order&) { return completed("1"); }, 1),
            "sha256:c78104a30468dd292ca80b06462385e61a72d708b08c72137e512a40def9517f\n"
            "sha256:84453c16e2bad51efcc539770999881c26ce79490669efd6c393ca468dea072f\n"
            "sha256:e7cde321d9e15f692873c989e5ea4326d806121545dcf1ba75d3962b64009f90\n"
            R"(completed {"beside":1,"both":1,"each":[1,1],"files":["x","y"],"start":1} )"
            "sha256:6fb694b2a5d1eacd79726dd7e2843125f49a1db3cae4e2e6151c2cc307705daf");
  auto progress = planned(flow);
  std::vector<std::uint64_t> orders;
  while (true) {
    const auto closed = superstep(progress, {});
    if (closed.end) {
      break;
    }
    for (const auto& task : closed.next_front) {
      orders.push_back(task.order_key);
    }
    progress.committed(closed);
  }
  EXPECT_EQ(
      orders,
      (std::vector<std::uint64_t>{0x3668fa96c88fc269U, 0x29d4b1ed6529339eU, 0xb0281a26f6b7e521U, 0x4b4349015babd01U}));
}

}  // namespace
}  // namespace troupe
