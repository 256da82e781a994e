#include "actors/agent/judgement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

attempt_order order() {
  attempt_order made;
  made.spec.name = agent_name{"critic"};
  made.spec.parse = output_format::json;
  made.limits.timeout = 90s;
  return made;
}

attempt_session session() { return attempt_session{attempt_limits{}}; }

attempt_session stopped(stop_cause cause) {
  auto made = session();
  static_cast<void>(made.stop(cause, false));
  return made;
}

process_end ended(int status, std::string out = "{\"a\":1}", std::string err = "") {
  process_end end;
  end.exit.exit_code = status;
  end.standard_output = std::move(out);
  end.standard_error = std::move(err);
  return end;
}

std::string text(const task_outcome& outcome) {
  return std::string{to_string(outcome.state)} + ' ' +
         (outcome.why ? std::string{to_string(outcome.why->code)} : outcome.found_by + ' ' + outcome.value->str());
}

std::string judged(const attempt_session& how, process_end end) {
  return text(judge(order(), how, end_of(std::move(end))));
}

TEST(judgement_test, a_functions_route_is_part_of_the_outcome) {
  function_reply reply;
  EXPECT_FALSE(judge(order(), session(), end_of(function_reply{reply})).route);
  reply.route = std::vector{step_id{"b"}, step_id{"a"}};
  EXPECT_EQ(judge(order(), session(), end_of(function_reply{reply})).route, reply.route);
}

TEST(judgement_test, what_was_printed_is_the_answer) {
  EXPECT_EQ(judged(session(), ended(0)), "completed whole {\"a\":1}");
  EXPECT_EQ(judged(session(), ended(0, "oops")), "failed OUTPUT_INVALID");
  EXPECT_EQ(judged(session(), ended(0, "")), "failed AGENT_NO_OUTPUT");
  EXPECT_EQ(judged(session(), ended(1)), "failed AGENT_EXIT");
}

TEST(judgement_test, what_a_process_says_of_itself_counts_only_where_it_ended_by_itself) {
  auto asked = order();
  failure_rule limited;
  limited.test = value_test{"/error", {}, true};
  limited.code = error_code::rate_limited;
  asked.spec.reading.failures.push_back(limited);
  auto end = ended(1, R"({"error":"limit"})");
  EXPECT_EQ(text(judge(asked, session(), end_of(process_end{end}))), "failed RATE_LIMITED");
  end.exit.exit_code.reset();
  end.exit.signal = 9;
  EXPECT_EQ(text(judge(asked, session(), end_of(process_end{end}))), "failed AGENT_SIGNAL");
  auto large = session();
  static_cast<void>(large.output_limit_reached());
  EXPECT_EQ(text(judge(asked, large, end_of(ended(1, R"({"error":"limit"})")))), "failed OUTPUT_TOO_LARGE");
}

TEST(judgement_test, the_end_of_a_process_is_kept_whole) {
  auto end = ended(3, "out", "err");
  end.usage = {std::chrono::microseconds{5}, 6};
  end.standard_output_bytes = 100;
  end.standard_error_bytes = 200;
  end.tree_gone = false;
  const auto made = end_of(std::move(end));
  EXPECT_TRUE(made.ran);
  EXPECT_EQ(made.exit.exit_code, 3);
  EXPECT_EQ(made.exit.signal, std::nullopt);
  EXPECT_EQ(made.exit.cpu_time.count(), 5);
  EXPECT_EQ(made.exit.resident_bytes_max, 6);
  EXPECT_FALSE(made.exit.tree_gone);
  EXPECT_EQ(*made.standard_output, "out");
  EXPECT_EQ(*made.standard_error, "err");
  EXPECT_EQ(made.standard_output_bytes, 100);
  EXPECT_EQ(made.standard_error_bytes, 200);
  EXPECT_EQ(made.failure, std::nullopt);
}

TEST(judgement_test, what_did_not_start_did_not_run) {
  process_end end;
  end.exit.start_failure = error{error_code::agent_not_found, "no claude", ""};
  const auto made = end_of(std::move(end));
  EXPECT_FALSE(made.ran);
  EXPECT_EQ(text(judge(order(), session(), made)), "failed AGENT_NOT_FOUND");
  const auto refused = end_of(error{error_code::invalid_input, "no", ""});
  EXPECT_FALSE(refused.ran);
  EXPECT_EQ(text(judge(order(), session(), refused)), "failed INVALID_INPUT");
}

// Each cause together with an end that says otherwise: the cause goes first, in the order of the header.
TEST(judgement_test, why_we_stopped_it_goes_before_how_it_ended) {
  EXPECT_EQ(judged(stopped(stop_cause::interrupted), ended(0)), "interrupted CANCELLED");
  EXPECT_EQ(judged(stopped(stop_cause::cancelled), ended(0)), "cancelled CANCELLED");
  EXPECT_EQ(judged(stopped(stop_cause::timed_out), ended(0)), "failed TASK_TIMEOUT");
  EXPECT_NE(judge(order(), stopped(stop_cause::timed_out), end_of(ended(0))).why->message.find("longer than 90s"),
            std::string::npos);

  auto large = session();
  static_cast<void>(large.output_limit_reached());
  EXPECT_EQ(judged(large, ended(0)), "failed OUTPUT_TOO_LARGE");
  EXPECT_EQ(judged(large, ended(1, "")), "failed OUTPUT_TOO_LARGE");
}

TEST(judgement_test, a_dead_custodian_interrupts_unless_we_had_stopped_it_ourselves) {
  auto end = ended(0);
  end.custodian_lost = true;
  EXPECT_EQ(judged(session(), end), "interrupted CANCELLED");
  EXPECT_EQ(judged(stopped(stop_cause::cancelled), end), "cancelled CANCELLED");
  EXPECT_EQ(judged(stopped(stop_cause::timed_out), end), "failed TASK_TIMEOUT");
  EXPECT_EQ(judged(stopped(stop_cause::interrupted), end), "interrupted CANCELLED");
}

std::string judged(result<function_reply> reply, const attempt_session& how = session()) {
  return text(judge(order(), how, end_of(std::move(reply))));
}

function_reply replied(std::optional<json_text> value) {
  function_reply reply;
  reply.value = std::move(value);
  return reply;
}

TEST(judgement_test, a_function_gives_its_value_its_deltas_and_its_usage) {
  auto reply = replied(json_text{"[1]"});
  reply.deltas.push_back({field_name{"f"}, json_text{"2"}});
  reply.usage = token_usage{"m", 1, 2};
  reply.printed = "log";
  const auto end = end_of(result<function_reply>{reply});
  EXPECT_EQ(*end.standard_output, "log");
  EXPECT_EQ(end.standard_output_bytes, 3);
  const auto outcome = judge(order(), session(), end);
  EXPECT_EQ(text(outcome), "completed function [1]");
  ASSERT_EQ(outcome.deltas.size(), 1U);
  EXPECT_EQ(outcome.deltas[0].field, field_name{"f"});
  ASSERT_TRUE(outcome.usage.has_value());
  EXPECT_EQ(outcome.usage->output_tokens, 2);
  EXPECT_EQ(judged(replied(std::nullopt)), "completed function null");
}

TEST(judgement_test, a_function_fails_with_its_own_error_or_for_why_it_was_stopped) {
  EXPECT_EQ(judged(error{error_code::rate_limited, "later", ""}), "failed RATE_LIMITED");
  EXPECT_EQ(judged(replied(json_text{"1"}), stopped(stop_cause::cancelled)), "cancelled CANCELLED");
  EXPECT_EQ(judged(error{error_code::cancelled, "", ""}, stopped(stop_cause::timed_out)), "failed TASK_TIMEOUT");
  EXPECT_EQ(judged(error{error_code::cancelled, "", ""}, stopped(stop_cause::interrupted)), "interrupted CANCELLED");
}

// What a host gives is foreign: text that is not JSON would end the run's actor when the state is made of it.
TEST(judgement_test, a_function_that_does_not_give_json_fails) {
  for (const auto* value : {"", "{", "nope", "{\"a\":1}}", "1e999"}) {
    EXPECT_EQ(judged(replied(json_text{value})), "failed OUTPUT_INVALID") << value;
    auto reply = replied(std::nullopt);
    reply.deltas.push_back({field_name{"f"}, json_text{value}});
    const auto outcome = judge(order(), session(), end_of(result<function_reply>{reply}));
    EXPECT_EQ(text(outcome), "failed OUTPUT_INVALID") << value;
    EXPECT_NE(outcome.why->message.find("'f'"), std::string::npos);
  }
  EXPECT_EQ(judged(replied(json_text{std::string(2'000, '[') + std::string(2'000, ']')})), "failed OUTPUT_INVALID");
}

TEST(judgement_test, what_a_function_gives_is_written_canonically) {
  EXPECT_EQ(judged(replied(json_text{"{ \"b\": 1.0, \"a\": [ ] }"})), "completed function {\"a\":[],\"b\":1}");
}

}  // namespace
}  // namespace troupe
