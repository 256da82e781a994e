#include "actors/run/aggregation.hpp"

#include "actors/run/template_rendering.hpp"
#include "config/workflow_words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

std::vector<agent_answer> some_answers() {
  return {{agent_name{"b"}, json_text{R"({"z":1,"a":[2]})"}, {}},
          {agent_name{"c"}, std::nullopt, error{error_code::agent_exit, "secret of c", "hint of c"}},
          {agent_name{"a"}, json_text{"\"text\""}, {}}};
}

TEST(aggregation_test, the_outputs_are_the_answers_and_nothing_else) {
  EXPECT_EQ(outputs_object(some_answers()).str(), R"({"a":"text","b":{"a":[2],"z":1}})");
  EXPECT_EQ(outputs_object({}).str(), "{}");
}

TEST(aggregation_test, the_order_in_which_they_came_does_not_show) {
  auto answers = some_answers();
  const auto expected = outputs_object(answers);
  std::ranges::sort(answers, {}, &agent_answer::agent);
  do {
    EXPECT_EQ(outputs_object(answers), expected);
  } while (std::ranges::next_permutation(answers, {}, &agent_answer::agent).found);
}

TEST(aggregation_test, the_prompt_of_our_own_shows_the_outputs_and_asks_for_what_is_required) {
  const json_text none{"{}"};
  const auto outputs = outputs_object(some_answers());
  const auto prompt = render_prompt(default_aggregate_prompt(), {none, none, run_id{"r"}, "s", step_id{"s"}, &outputs});
  ASSERT_TRUE(prompt);
  EXPECT_NE(prompt->find("\n" + outputs.str() + "\n"), std::string::npos);
  EXPECT_EQ(prompt->find("{{"), std::string::npos);
  for (const auto pointer : required_words) {
    EXPECT_NE(prompt->find('"' + std::string{pointer.substr(1)} + '"'), std::string::npos) << pointer;
  }
  EXPECT_NE(prompt->find("\"summary\""), std::string::npos);
}

}  // namespace
}  // namespace troupe
