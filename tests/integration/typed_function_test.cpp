// Steps with results of the host's own types, in a workflow that is written in C++, through a whole node.
#include "config/typed_function.hpp"

#include "config/workflow_builder.hpp"
#include "config/workflow_check.hpp"
#include "config/workflow_conditions.hpp"
#include "tests/support/node_fixture.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <string>

namespace troupe {
namespace {

/// What a host would have of its own.
struct draft {
  int words = 0;
  int version = 0;
};

json_text to_json(const draft& from) {
  return json_text{"{\"words\":" + std::to_string(from.words) + ", \"version\":" + std::to_string(from.version) + "}"};
}

std::optional<int> number_of(const json_text& object, std::string_view name) {
  const auto member = member_of(object, name);
  int number = 0;
  const auto text = member ? member->str() : std::string{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return member && read.ec == std::errc{} ? std::optional{number} : std::nullopt;
}

result<draft> draft_of(const json_text& from) {
  const auto words = number_of(from, "words");
  const auto version = number_of(from, "version");
  if (!words || !version) {
    return error{error_code::invalid_input, "this is no draft: " + from.str(), ""};
  }
  return draft{*words, *version};
}

const json_form<draft> draft_form{.to_json = to_json, .from_json = draft_of};
const field_name draft_field{"draft"};

class typed_function_test : public node_fixture {
 protected:
  run_view run_of(const workflow_builder& made, const function_table& functions) {
    const auto built = made.build();
    EXPECT_NE(built.flow, nullptr);
    const auto node = start_node("", functions);
    return run_to_end(*node, built.flow->source);
  }
};

TEST_F(typed_function_test, gives_its_value_to_the_next_step_and_to_the_host) {
  const auto write = typed<draft>("write", draft_form, [](const function_request&) -> result<draft> {
    return draft{10, 1};
  });
  const auto extend = typed<draft>("extend", draft_form, [&](const function_request& request) -> result<draft> {
    const auto before = write.read(request, draft_field);
    if (!before) {
      return before.error();
    }
    return draft{before->words * 2, before->version + 1};
  });
  function_table functions;
  write.add_to(functions);
  extend.add_to(functions);
  workflow_builder made{"drafts"};
  made.max_steps(20);
  made.step("write").function(write.name()).output("draft").next("extend");
  made.step("extend")
      .function(extend.name())
      .output("draft")
      .next("extend", state_at("/draft/version").lt(json_text{"4"}))
      .next("end");
  made.step("end").function("probe.expect", json_text{R"({"path":"/draft","eq":{"version":4,"words":80}})"});
  const auto run = run_of(made, functions);
  ASSERT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  const auto last = extend.read(run.result, draft_field);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->words, 80);
  EXPECT_EQ(last->version, 4);
}

TEST_F(typed_function_test, fails_its_step_with_its_own_error) {
  const auto write = typed<draft>("write", draft_form, [](const function_request&) -> result<draft> {
    return error{error_code::invalid_input, "there is nothing to write about", ""};
  });
  function_table functions;
  write.add_to(functions);
  workflow_builder made{"drafts"};
  made.step("write").function(write.name());
  const auto run = run_of(made, functions);
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why.has_value());
  EXPECT_EQ(run.why->code, error_code::invalid_input);
  EXPECT_EQ(run.why->message, "there is nothing to write about");
}

TEST_F(typed_function_test, tells_what_is_not_there_from_what_is_no_such_value) {
  const auto write =
      typed<draft>("write", draft_form, [](const function_request&) -> result<draft> { return draft{}; });
  const auto missing = write.read(json_text{"{}"}, draft_field);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, error_code::not_found);
  const auto other = write.read(json_text{R"({"draft":{"words":1}})"}, draft_field);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, error_code::invalid_input);
}

}  // namespace
}  // namespace troupe
