#include "actors/agent/read_again.hpp"

#include "actors/agent/http_outcome.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

attempt_order asked() {
  attempt_order order;
  order.spec.name = agent_name{"claude"};
  order.spec.command = {"claude"};
  order.spec.parse = output_format::json;
  order.prompt = "Do it.";
  return order;
}

recorded_attempt said(const std::string& output) {
  recorded_attempt recorded;
  recorded.state = task_state::completed;
  recorded.exit_code = 0;
  recorded.has_output = true;
  recorded.standard_output = output;
  return recorded;
}

TEST(read_again_test, an_output_is_read_by_the_agents_own_settings) {
  const auto read = read_again(asked(), said("Here: {\"a\": 1}"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->value->str(), R"({"a":1})");
  auto as_text = asked();
  as_text.spec.parse = output_format::text;
  EXPECT_EQ(read_again(as_text, said("Here\n"))->value->str(), R"("Here")");
}

TEST(read_again_test, what_is_no_answer_any_more_fails) {
  EXPECT_EQ(read_again(asked(), said("nothing of use"))->why->code, error_code::output_invalid);
  auto failed = said("{}");
  failed.exit_code = 3;
  EXPECT_EQ(read_again(asked(), failed)->why->code, error_code::agent_exit);
}

TEST(read_again_test, what_came_from_outside_says_nothing) {
  auto none = said("{}");
  none.has_output = false;
  EXPECT_FALSE(read_again(asked(), none));
  for (const auto code : {error_code::task_timeout,
                          error_code::cancelled,
                          error_code::output_too_large,
                          error_code::max_attempts_exceeded}) {
    auto stopped = said("half of");
    stopped.state = task_state::failed;
    stopped.why = error{code, "", ""};
    EXPECT_FALSE(read_again(asked(), stopped)) << to_string(code);
  }
  auto interrupted = said("{}");
  interrupted.state = task_state::interrupted;
  EXPECT_FALSE(read_again(asked(), interrupted));
  auto function = asked();
  function.spec.kind = agent_kind::function;
  EXPECT_FALSE(read_again(function, said("{}")));
}

TEST(read_again_test, an_answer_over_http_is_read_with_its_head) {
  auto order = asked();
  order.spec.kind = agent_kind::http;
  order.spec.stream = true;
  auto recorded = said(R"({"choices":[{"message":{"content":"{\"a\":2}"},"finish_reason":"stop"}]})");
  recorded.exit_code.reset();
  recorded.http_status = 200;
  http_end end;
  end.status = 200;
  end.headers = {{"content-type", "application/json"}};
  recorded.standard_error = head_of(end);
  const auto read = read_again(order, recorded);
  ASSERT_TRUE(read && read->value) << (read && read->why ? read->why->message : "");
  EXPECT_EQ(read->value->str(), R"({"a":2})");
  recorded.http_status = 429;
  recorded.state = task_state::failed;
  recorded.why = error{error_code::rate_limited, "", ""};
  EXPECT_EQ(read_again(order, recorded)->why->code, error_code::rate_limited);
  recorded.http_status = 200;
  recorded.why = error{error_code::provider_unavailable, "", ""};
  EXPECT_FALSE(read_again(order, recorded)) << "how the connection ended is not recorded";
}

}  // namespace
}  // namespace troupe
