#include "actors/run/routing.hpp"

#include "actors/json/opened_fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

condition compare(const std::string& pointer, comparison by, const std::string& value) {
  condition made;
  made.pointer = pointer;
  made.compares = by;
  made.value = json_text{value};
  return made;
}

step node(const std::string& id, const std::vector<std::string>& next = {}, const std::vector<std::string>& join = {}) {
  step made;
  made.id = step_id{id};
  for (const auto& to : next) {
    made.next.push_back({step_id{to}, std::nullopt, {}});
  }
  for (const auto& from : join) {
    made.join.emplace_back(from);
  }
  return made;
}

route when(const std::string& to, std::optional<condition> holds) { return {step_id{to}, std::move(holds), {}}; }

graph_path path(const std::string& text) { return *graph_path::from(text); }

// A workflow of these steps, and where a superstep of some of them leads.
class routing_test : public testing::Test {
 protected:
  void steps(std::vector<step> all) { flow_.steps = std::move(all); }

  step_end ended(const std::string& id, const std::string& at = "") {
    return {find_step(flow_, step_id{id}), path(at)};
  }

  // `step@path ...`, then `| join<from ...` for who has arrived; or the code of a refusal.
  std::string leads_to(const std::vector<step_end>& ends, const std::string& state = "{}") {
    const step_index index{flow_};
    auto followed = follow(index, ends, arrivals_, opened_fields::of(json_text{state}));
    if (const auto* refused = std::get_if<routing_refusal>(&followed)) {
      return std::string{to_string(refused->why.code)} + " of " + refused->step.str();
    }
    const auto& next = std::get<superstep_standing>(followed);
    std::string all;
    for (const auto& each : next.steps) {
      all += (all.empty() ? "" : " ") + each.step.str() + '@' + each.path.str();
    }
    arrivals_ = next.arrivals;
    for (const auto& each : arrivals_) {
      all += " | " + each.join.str() + '<' + each.from.str();
    }
    return all;
  }

  workflow flow_;
  std::vector<join_arrival> arrivals_;
};

TEST_F(routing_test, every_route_without_a_condition_is_taken_in_the_order_of_the_file) {
  steps({node("a", {"c", "b"}), node("b"), node("c")});
  EXPECT_EQ(leads_to({ended("a")}), "c@0 b@1");
  EXPECT_EQ(leads_to({ended("b")}), "");
}

TEST_F(routing_test, a_step_reached_by_several_routes_runs_once_by_the_smallest_path) {
  steps({node("a", {"c"}), node("b", {"d", "c"}), node("c"), node("d")});
  EXPECT_EQ(leads_to({ended("a", "1"), ended("b", "2")}), "c@1.0 d@2.0");
  EXPECT_EQ(leads_to({ended("b", "0"), ended("a", "1")}), "d@0*2 c@0.1");
}

TEST_F(routing_test, the_order_is_that_of_the_paths_and_not_that_of_the_names) {
  steps({node("z", {"y"}), node("a", {"x"}), node("x"), node("y")});
  EXPECT_EQ(leads_to({ended("z", "0"), ended("a", "1")}), "y@0*2 x@1.0");
}

TEST_F(routing_test, of_conditions_the_first_that_holds_wins) {
  auto a = node("a");
  a.next = {when("low", compare("/n", comparison::lt, "3")),
            when("mid", compare("/n", comparison::lt, "6")),
            when("high", std::nullopt)};
  steps({a, node("low"), node("mid"), node("high")});
  EXPECT_EQ(leads_to({ended("a")}, R"({"n":2})"), "low@0");
  EXPECT_EQ(leads_to({ended("a")}, R"({"n":5})"), "mid@1");
  EXPECT_EQ(leads_to({ended("a")}, R"({"n":6})"), "high@2");
}

TEST_F(routing_test, no_condition_that_holds_is_no_route) {
  auto a = node("a");
  a.next = {when("b", compare("/n", comparison::eq, "1"))};
  steps({a, node("b")});
  EXPECT_EQ(leads_to({ended("a")}, R"({"n":2})"), "NO_ROUTE of a");
}

TEST_F(routing_test, a_functions_own_route_wins_and_may_be_empty) {
  steps({node("a", {"b"}), node("b"), node("c")});
  auto end = ended("a");
  end.route = {step_id{"c"}, step_id{"b"}};
  EXPECT_EQ(leads_to({end}), "b@0 c@5");
  end.route = std::vector<step_id>{};
  EXPECT_EQ(leads_to({end}), "");
  end.route = {step_id{"nowhere"}};
  EXPECT_EQ(leads_to({end}), "NO_ROUTE of a");
}

TEST_F(routing_test, what_a_function_chose_has_no_path_in_common_with_a_join) {
  steps({node("a"), node("j", {}, {"a"}), node("c"), node("d")});
  auto end = ended("a");
  end.route = {step_id{"d"}, step_id{"c"}};
  EXPECT_EQ(leads_to({end}), "j@2 d@5 c@6");
}

TEST_F(routing_test, a_function_cannot_lead_past_a_join) {
  steps({node("a"), node("b"), node("j", {}, {"b"})});
  auto end = ended("a");
  end.route = {step_id{"j"}};
  EXPECT_EQ(leads_to({end}), "NO_ROUTE of a") << "the join would run without the step that it waits for";
  auto joined = ended("b");
  joined.route = {step_id{"j"}};
  EXPECT_EQ(leads_to({joined}), "j@4");
}

TEST_F(routing_test, a_step_that_failed_goes_to_its_on_error_alone) {
  auto a = node("a", {"b"});
  a.on_error = step_id{"report"};
  steps({a, node("b"), node("report"), node("join", {}, {"a"})});
  auto end = ended("a");
  end.failed = true;
  EXPECT_EQ(leads_to({end}), "report@1");
}

TEST_F(routing_test, a_join_runs_once_when_each_has_come) {
  steps({node("a", {"j"}), node("b", {"j"}), node("j", {}, {"a", "b"})});
  EXPECT_EQ(leads_to({ended("b", "1")}), " | j<b");
  EXPECT_EQ(leads_to({ended("b", "1.5")}), " | j<b") << "who comes twice counts once";
  EXPECT_EQ(leads_to({ended("a", "0.3")}), "j@0.3.0");
  EXPECT_TRUE(arrivals_.empty());
  EXPECT_EQ(leads_to({ended("a", "0"), ended("b", "1")}), "j@0*2") << "and again after it has run";
}

TEST_F(routing_test, who_does_not_name_the_join_arrives_by_completing) {
  steps({node("a"), node("b", {"a"}), node("j", {}, {"a", "b"})});
  EXPECT_EQ(leads_to({ended("b", "1")}), "a@1.0 | j<b");
  EXPECT_EQ(leads_to({ended("a", "1.0")}), "j@1.0.3") << "the place in the file, behind its routes";
}

TEST_F(routing_test, who_names_the_join_arrives_by_taking_that_route_only) {
  auto gate = node("gate");
  gate.next = {when("j", compare("/ok", comparison::eq, "true")), when("plan", std::nullopt)};
  steps({gate, node("plan", {"gate"}), node("lint"), node("j", {}, {"gate", "lint"})});
  EXPECT_EQ(leads_to({ended("gate", "0"), ended("lint", "1")}, R"({"ok":false})"), "plan@0.1 | j<lint");
  EXPECT_EQ(leads_to({ended("gate", "0.1.0")}, R"({"ok":true})"), "j@0.1.0*2");
}

TEST_F(routing_test, a_join_that_can_no_longer_run_is_named_with_what_it_lacks) {
  steps({node("a", {"j"}), node("b", {"j"}), node("c", {"j"}), node("j", {}, {"a", "b", "c"})});
  ASSERT_EQ(leads_to({ended("b", "1")}), " | j<b");
  const auto why = no_progress(step_index{flow_}, arrivals_);
  EXPECT_EQ(why.code, error_code::no_progress);
  EXPECT_NE(why.message.find("'j' waits for 'a', 'c'"), std::string::npos) << why.message;
}

}  // namespace
}  // namespace troupe
