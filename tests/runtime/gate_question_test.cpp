// Which gate is meant by what people know of it, and the words of a decision over the door.
#include "runtime/gate_question.hpp"

#include "runtime/json/gate_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::HasSubstr;

const run_id the_run{"r-1"};
constexpr timestamp noon{std::chrono::microseconds{1'795'262'400'000'000}};

gate_view gate_of(const std::string& step, gate_state state = gate_state::open, std::int64_t superstep = 1) {
  gate_view gate;
  gate.run = the_run;
  gate.asked.place = {superstep_no{superstep}, step_id{step}, 1};
  gate.asked.prompt = "Merge?";
  gate.state = state;
  gate.opened_at = noon;
  if (state != gate_state::open) {
    gate.closed_at = noon + 5s;
  }
  return gate;
}

gate_decision by(const std::string& who, gate_choice choice = gate_choice::approved, const std::string& comment = "") {
  gate_decision decision;
  decision.by = who;
  decision.choice = choice;
  decision.comment = comment;
  decision.at = noon;
  return decision;
}

result<gate_place> find(const std::vector<gate_view>& gates,
                        const gate_question& wanted,
                        const gate_decision& decision = by("ann")) {
  return find_gate(the_run, gates, wanted, decision);
}

TEST(gate_question, a_name_is_enough_where_it_asks_once) {
  const std::vector<gate_view> gates{gate_of("lint"), gate_of("approve")};
  EXPECT_EQ(find(gates, {step_id{"approve"}})->step, step_id{"approve"});
}

TEST(gate_question, what_asks_nothing_is_refused_with_what_does) {
  const auto found =
      find({gate_of("lint"), gate_of("test"), gate_of("done", gate_state::approved)}, {step_id{"other"}});
  EXPECT_EQ(found.error().code, error_code::not_found);
  EXPECT_THAT(found.error().hint, HasSubstr("lint, test"));
  EXPECT_THAT(find({}, {step_id{"other"}}).error().hint, HasSubstr("nothing of this run waits"));
}

TEST(gate_question, the_newest_that_is_open_is_meant_and_not_the_decided_ones) {
  const std::vector<gate_view> gates{gate_of("approve", gate_state::rejected, 1),
                                     gate_of("approve", gate_state::open, 4)};
  EXPECT_EQ(find(gates, {step_id{"approve"}})->superstep, superstep_no{4});
}

TEST(gate_question, one_that_is_open_is_meant_although_a_later_one_is_decided) {
  const std::vector<gate_view> gates{gate_of("approve", gate_state::open, 1),
                                     gate_of("approve", gate_state::approved, 4)};
  EXPECT_EQ(find(gates, {step_id{"approve"}})->superstep, superstep_no{1});
}

TEST(gate_question, levels_are_told_apart_where_they_ask_at_once) {
  std::vector<gate_view> gates{gate_of("approve", gate_state::open, 2), gate_of("approve", gate_state::open, 2)};
  gates.back().asked.place.level = 2;
  EXPECT_THAT(find(gates, {step_id{"approve"}}).error().hint,
              HasSubstr("--superstep 2 --level 1, --superstep 2 --level 2"));
  EXPECT_EQ(find(gates, {step_id{"approve"}, {}, 2})->level, 2);
}

TEST(gate_question, of_several_it_has_to_be_said_which) {
  std::vector<gate_view> gates{gate_of("approve", gate_state::open, 2), gate_of("approve", gate_state::open, 4)};
  gates.push_back(gate_of("approve", gate_state::open, 4));
  gates.back().asked.place.task.emplace("r-1/4/approve/a");
  const auto found = find(gates, {step_id{"approve"}});
  EXPECT_EQ(found.error().code, error_code::invalid_input);
  EXPECT_THAT(found.error().hint, HasSubstr("--superstep 2, --superstep 4, --superstep 4 --task r-1/4/approve/a"));
  EXPECT_TRUE(find(gates, {step_id{"approve"}, superstep_no{2}}));
  EXPECT_TRUE(find(gates, {step_id{"approve"}, {}, {}, task_id{"r-1/4/approve/a"}})->task);
  EXPECT_EQ(find(gates, {step_id{"approve"}, {}, 2}).error().code, error_code::not_found);
}

TEST(gate_question, what_is_decided_says_by_whom_and_when) {
  auto approved = gate_of("approve", gate_state::approved);
  approved.decisions = {by("bob"), by("cid")};
  approved.asked.votes = 2;
  const auto found = find({approved}, {step_id{"approve"}});
  EXPECT_EQ(found.error().code, error_code::idempotency_violation);
  EXPECT_EQ(found.error().hint, "troupe show r-1 tells what became of the run");
  EXPECT_THAT(found.error().message, HasSubstr("is approved by bob, cid at 2026-11-21T12:00:05"));
  approved.asked.votes = 3;
  EXPECT_THAT(find({approved}, {step_id{"approve"}}).error().message,
              HasSubstr("approved, since nobody decided in time"))
      << "two of three votes are none";
  auto expired = gate_of("approve", gate_state::rejected);
  EXPECT_THAT(find({expired}, {step_id{"approve"}}).error().message,
              HasSubstr("rejected, since nobody decided in time"));
  EXPECT_THAT(find({gate_of("approve", gate_state::expired)}, {step_id{"approve"}}).error().message,
              HasSubstr("is expired at 2026"));
}

TEST(gate_question, who_repeats_a_decision_is_sent_to_it_and_who_changes_it_is_refused) {
  auto approved = gate_of("approve", gate_state::approved);
  approved.decisions = {by("ann", gate_choice::approved, "fine")};
  EXPECT_TRUE(find({approved}, {step_id{"approve"}}, by("ann", gate_choice::approved, "fine")));
  EXPECT_EQ(find({approved}, {step_id{"approve"}}, by("ann")).error().code, error_code::idempotency_violation);
  const auto changed = find({approved}, {step_id{"approve"}}, by("ann", gate_choice::rejected, "fine"));
  EXPECT_THAT(changed.error().message, HasSubstr("approved at 2026-11-21T12:00:00"));
  auto with_edit = by("ann", gate_choice::approved, "fine");
  with_edit.state_edit = json_text{"{}"};
  EXPECT_THAT(find({approved}, {step_id{"approve"}}, with_edit).error().message,
              HasSubstr("what differs is the edit; nothing was changed"));
  EXPECT_THAT(find({approved}, {step_id{"approve"}}, by("ann", gate_choice::rejected)).error().message,
              HasSubstr("what differs is the decision and the comment"));
  auto about_another = by("ann", gate_choice::approved, "fine");
  about_another.action_hash = "sha256:other";
  EXPECT_EQ(find({approved}, {step_id{"approve"}}, about_another).error().code, error_code::idempotency_violation);
  approved.asked.action_hash = "sha256:other";
  EXPECT_TRUE(find({approved}, {step_id{"approve"}}, about_another));
}

TEST(gate_question, where_it_does_not_ask_what_was_said_is_repeated_beside_where_it_does) {
  const auto found = find({gate_of("approve", gate_state::open, 2)}, {step_id{"approve"}, superstep_no{99}, 7});
  EXPECT_EQ(found.error().code, error_code::not_found);
  EXPECT_THAT(found.error().message, HasSubstr("at 'approve' in superstep 99 at level 7"));
  EXPECT_THAT(found.error().hint, HasSubstr("approve in superstep 2 at level 1"));
}

TEST(gate_json, a_decision_arrives_as_it_was_sent) {
  asked_decision sent{{step_id{"approve"}, superstep_no{4}, 2, task_id{"r-1/4/approve/a"}},
                      by("ann", gate_choice::rejected, "no \"tests\"")};
  sent.decision.state_edit = json_text{R"({"n":1})"};
  sent.decision.action_hash = "sha256:abc";
  const auto got = read_decision(decision_json(sent));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->which.superstep, superstep_no{4});
  EXPECT_EQ(got->which.level, 2);
  EXPECT_EQ(got->which.task, sent.which.task);
  EXPECT_EQ(got->decision.by, "ann");
  EXPECT_EQ(got->decision.choice, gate_choice::rejected);
  EXPECT_EQ(got->decision.comment, "no \"tests\"");
  EXPECT_EQ(got->decision.state_edit->str(), R"({"n":1})");
  EXPECT_EQ(got->decision.action_hash, "sha256:abc");
  const auto plain = read_decision(decision_json({{step_id{"approve"}}, by("ann")}));
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->which.superstep || plain->which.level || plain->which.task || plain->decision.state_edit);
}

TEST(gate_json, what_is_no_decision_is_refused_with_what_would_be) {
  for (const std::string body : {"",
                                 "[]",
                                 "{}",
                                 R"({"decision":"approved"})",
                                 R"({"by":"ann"})",
                                 R"({"decision":"maybe","by":"ann"})",
                                 R"({"decision":"approved","by":""})",
                                 R"({"decision":"approved","by":7})",
                                 R"({"decision":"approved","by":"ann","edit":[]})",
                                 R"({"decision":"approved","by":"ann","level":0})",
                                 R"({"decision":"approved","by":"ann","level":"1"})",
                                 R"({"decision":"approved","by":"ann","superstep":99999999999})",
                                 R"({"decision":"approved","by":"ann","task":1})"}) {
    const auto got = read_decision(body);
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, error_code::invalid_input) << body;
    EXPECT_THAT(got.error().hint, HasSubstr(R"("decision":"approved")"));
  }
}

TEST(gate_json, a_receipt_arrives_as_it_was_sent) {
  const gate_receipt sent{{superstep_no{4}, step_id{"approve"}, 2, task_id{"r-1/4/approve/a"}}, true, true};
  const auto got = read_receipt(receipt_json(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->place, sent.place);
  EXPECT_TRUE(got->repeated && got->carried_out);
  for (const std::string body : {"", "{}", "[]", R"({"superstep":1,"step":"a","level":1,"repeated":false})"}) {
    EXPECT_FALSE(read_receipt(body)) << body;
  }
}

TEST(gate_json, an_edit_is_an_object) {
  EXPECT_EQ(read_edit(R"( {"b":1, "a":null} )")->str(), R"({"a":null,"b":1})");
  EXPECT_FALSE(read_edit("[]"));
  EXPECT_FALSE(read_edit("{"));
}

TEST(gate_json, what_is_pending_names_its_run) {
  auto gate = gate_of("approve");
  gate.asked.voters = {"ann", "bob"};
  gate.asked.votes = 2;
  gate.decisions = {by("ann")};
  gate.expires_at = noon + 1h;
  const std::vector<pending_view> pending{{gate, "review", "SPEC-7"}};
  EXPECT_EQ(
      pending_json(pending),
      R"({"pending":[{"run":"r-1","step":"approve","superstep":1,"level":1,"task":null,"kind":"step","state":"open",)"
      R"("prompt":"Merge?","action_hash":null,"votes":2,"approvals":1,"voters":["ann","bob"],)"
      R"("opened_at":"2026-11-21T12:00:00.000000Z","expires_at":"2026-11-21T13:00:00.000000Z","on_expiry":"fail",)"
      R"("closed_at":null,"decisions":[{"by":"ann","decision":"approved","comment":null,"edit":null,)"
      R"("at":"2026-11-21T12:00:00.000000Z"}],"workflow":"review","subject":"SPEC-7"}]})");
}

}  // namespace
}  // namespace troupe
