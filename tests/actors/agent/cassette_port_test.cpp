#include "actors/agent/cassette_port.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

attempt_order asked(agent_kind kind = agent_kind::command) {
  attempt_order order;
  order.spec.name = agent_name{"a"};
  order.spec.kind = kind;
  return order;
}

attempt_session stopped(stop_cause cause) {
  attempt_session session{attempt_limits{}};
  static_cast<void>(session.stop(cause, false));
  return session;
}

attempt_end printed(const std::string& text) {
  process_end end;
  end.exit.exit_code = 0;
  end.standard_output = text;
  return end_of(std::move(end));
}

// How it is kept, and the code of its failure.
std::string kept(const attempt_order& order, const attempt_session& session, const attempt_end& end) {
  const auto answer = answer_to_keep(order, session, end, judge(order, session, end));
  if (!answer) {
    return "nothing";
  }
  const auto failure = answer->end.failure ? std::string{to_string(answer->end.failure->code)} : "";
  switch (answer->how) {
    case recorded_end::by_itself:
      return "by itself " + failure;
    case recorded_end::too_late:
      return "too late " + failure;
    case recorded_end::lost_race:
      return "lost " + failure;
  }
  return {};
}

TEST(cassette_port_test, keeps_what_agents_answer_and_nothing_of_others) {
  const attempt_session free{attempt_limits{}};
  EXPECT_EQ(kept(asked(), free, printed("yes")), "by itself ");
  EXPECT_EQ(kept(asked(agent_kind::function), free, end_of(function_reply{})), "nothing");
  EXPECT_EQ(kept(asked(), free, end_of(error{error_code::agent_not_found, "none", ""})), "by itself AGENT_NOT_FOUND");
  auto refused = asked();
  refused.refused = error{error_code::invalid_input, "no such name", ""};
  EXPECT_EQ(kept(refused, free, end_of(*refused.refused)), "nothing");
  auto orphaned = printed("half");
  orphaned.custodian_lost = true;
  EXPECT_EQ(kept(asked(), free, orphaned), "nothing");
}

TEST(cassette_port_test, keeps_why_we_ended_it_where_that_is_part_of_the_answer) {
  EXPECT_EQ(kept(asked(), stopped(stop_cause::timed_out), printed("half")), "by itself TASK_TIMEOUT");
  EXPECT_EQ(kept(asked(), stopped(stop_cause::too_late), printed("half")), "too late TASK_TIMEOUT");
  EXPECT_EQ(kept(asked(), stopped(stop_cause::lost_race), printed("half")), "lost ");
  EXPECT_EQ(kept(asked(), stopped(stop_cause::cancelled), printed("half")), "nothing");
  EXPECT_EQ(kept(asked(), stopped(stop_cause::interrupted), printed("half")), "nothing");
  attempt_session flooded{attempt_limits{}};
  static_cast<void>(flooded.output_limit_reached());
  EXPECT_EQ(kept(asked(), flooded, printed("much")), "by itself OUTPUT_TOO_LARGE");
}

}  // namespace
}  // namespace troupe
