#include "actors/run/template_rendering.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

std::string rendered(std::string_view prompt) {
  const json_text inputs{R"({"count":3,"empty":"","topic":"rivers\n\"deep\""})"};
  const json_text state{
      R"({"a-b":{"c_d":true},"findings":[{"title":"one"},"two"],"gone":null,"half":0.5,"long":123456789012345680000})"};
  const run_id run{"r-1"};
  const std::string subject = "subject {{run.id}}";
  const step_id step{"survey"};
  const auto text = render_prompt(prompt, {inputs, state, run, subject, step});
  return text ? *text : std::string{to_string(text.error().code)} + ": " + text.error().message;
}

TEST(template_rendering_test, fills_in_what_placeholders_name) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ""},
      {"plain { } }} text", "plain { } }} text"},
      {"on {{inputs.topic}}.", "on rivers\n\"deep\"."},
      {"{{ inputs.topic }}", "rivers\n\"deep\""},
      {"{{inputs.count}}{{inputs.empty}}", "3"},
      {"{{inputs}}", R"({"count":3,"empty":"","topic":"rivers\n\"deep\""})"},
      {"{{state.findings}}", R"([{"title":"one"},"two"])"},
      {"{{state.findings.0}} {{state.findings.1}}", R"({"title":"one"} two)"},
      {"{{state.findings.0.title}}", "one"},
      {"{{state.a-b.c_d}}", "true"},
      {"{{state.gone}}", "null"},
      {"{{state.half}} {{state.long}}", "0.5 123456789012345680000"},
      {"{{run.id}} {{step.id}}", "r-1 survey"},
      {"{{{{inputs.topic}}", "{{inputs.topic}}"},
      {"\xFF{{run.id}}", "\xFFr-1"},
  };
  for (const auto& [prompt, text] : table) {
    EXPECT_EQ(rendered(prompt), text) << prompt;
  }
}

// What a value holds is text, whatever it looks like: an agent's answer cannot name other values.
TEST(template_rendering_test, values_are_not_rendered_again) {
  EXPECT_EQ(rendered("{{run.subject}}"), "subject {{run.id}}");
}

TEST(template_rendering_test, an_aggregator_sees_the_outputs_and_nobody_else_does) {
  const json_text none{"{}"};
  const json_text outputs{R"({"a":{"d":1},"b":"{{run.id}}"})"};
  const run_id run{"r-1"};
  const std::string subject = "s";
  const step_id step{"survey"};
  const auto text = render_prompt("See {{ outputs }} of {{run.id}}.", {none, none, run, subject, step, &outputs});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"(See {"a":{"d":1},"b":"{{run.id}}"} of r-1.)");
  EXPECT_FALSE(render_prompt("{{outputs.a}}", {none, none, run, subject, step, &outputs}));
  EXPECT_EQ(rendered("{{outputs}}"), "INVALID_INPUT: the prompt names {{outputs}}, and there is no such value");
}

TEST(template_rendering_test, what_is_not_there_is_refused_by_name) {
  for (const auto* name : {"inputs.gone",
                           "inputs.topic.x",
                           "state.findings.2",
                           "state.findings.00",
                           "state.findings.-1",
                           "state.findings.title",
                           "state.half.x",
                           "run",
                           "run.seed",
                           "run.id.x",
                           "step",
                           "step.x",
                           "file",
                           "env.HOME",
                           "Inputs.topic",
                           "state.gone.x",
                           "state.findings.99999999999999999999"}) {
    const auto spelled = "{{" + std::string{name} + "}}";
    EXPECT_EQ(rendered("x " + spelled), "INVALID_INPUT: the prompt names " + spelled + ", and there is no such value");
  }
}

TEST(template_rendering_test, a_broken_placeholder_is_refused_and_shown_once) {
  EXPECT_EQ(rendered("x {{inputs.topic"), "INVALID_INPUT: '{{inputs.topic' opens a placeholder that is not closed");
  EXPECT_EQ(rendered("x {{}}"), "INVALID_INPUT: '{{}}' is not a placeholder");
  EXPECT_EQ(rendered("{{a b}}"), "INVALID_INPUT: '{{a b}}' is not a placeholder");
}

}  // namespace
}  // namespace troupe
