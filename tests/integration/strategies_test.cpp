// CX-2, CX-3 and CX-5 through the real program: races, aggregates, emergencies, second tries and deadlines; what of it a
// person is told, and that nobody who was stopped is left.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class strategies_test : public cli_fixture {
 protected:
  void SetUp() override {
    add("quick", {"print", R"({"decision": "yes"})"});
    add("other", {"print", R"({"decision": "no"})"});
    add("broken", {"complain", "out of order", "exit", "3"});
    // Ends neither by itself nor by SIGTERM, and has a child that has left its session.
    add("slow", {"ignore-term", "detach", "mark", mark_, "hang", "--", "mark", mark_, "hang"});
    add("judge", {"print", R"({"agreements": ["a", "b"], "conflicts": ["c"]})"});
    add("echo", {"print", R"({"seen": )", "cat", "print", "}"});
    add("mute", {});
  }

  void add(const std::string& name, const words& script, const std::string& more = "parse = 'json'\n") {
    agents_ += "[agents." + name + "]\n" + scripted(script) + more;
  }

  /// Runs one step of these agents, by this policy.
  cli_result run_step(const std::string& agents, const std::string& policy, const std::string& id = "r1") {
    write("troupe.toml", "[runtime]\nkill_grace = '100ms'\ndrain_grace = '100ms'\n" + agents_);
    write("flow.toml",
          "name = 'flow'\n[[step]]\nid = 'decide'\nagents = " + agents +
              "\nprompt = 'Well?'\nretry = { max_attempts = 1 }\n[step.consensus]\n" + policy);
    return run({"run", "flow.toml", "--run-id", id, "--strict"});
  }

  boost::json::value shown() const { return json_of(run({"show", "r1", "--json"}).out); }

  void expect_nobody_left() const { EXPECT_THAT(processes_marked(mark_), IsEmpty()); }
  void expect_sound() const { EXPECT_THAT(run({"db", "check"}).out, HasSubstr("intact")); }

  std::string mark_ = "strategies-" + std::to_string(::getpid());
  std::string agents_;
};

TEST_F(strategies_test, a_race_ends_with_its_first_answer_and_leaves_nobody) {
  const auto text = run_step(R"(["slow", "quick", "broken"])", "strategy = 'race'\n");
  expect_nobody_left();
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("quick was first, 1 of 3 answered"), HasSubstr("slow was stopped")));
  EXPECT_THAT(text.out, Not(HasSubstr("degraded")));
  const auto json = shown();
  EXPECT_EQ(at(json, "/degraded"), "false");
  EXPECT_EQ(at(json, "/result/decide/decision"), "yes");
  EXPECT_EQ(at(json, "/verdicts/0/step"), "decide");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/status"), "ok");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/asked"), R"(["slow","quick","broken"])");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/answered"), R"(["quick"])");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/missing/0/agent"), "slow");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/missing/0/code"), "CANCELLED");
  EXPECT_EQ(tasks_of("r1").at(0).state, task_state::cancelled);
  expect_sound();
}

TEST_F(strategies_test, a_race_that_nobody_ends_has_failed) {
  const auto text = run_step(R"(["broken", "mute"])", "strategy = 'race'\n");
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out, AllOf(HasSubstr("QUORUM_NOT_MET"), HasSubstr("broken is missing"), HasSubstr("AGENT_EXIT")));
}

TEST_F(strategies_test, an_aggregator_sees_all_answers_and_gives_the_result) {
  const auto text = run_step(R"(["quick", "other"])",
                             "strategy = 'aggregate'\naggregator = 'echo'\nprompt = '{{outputs}}'\n"
                             "required = ['/seen/quick']\n");
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("2 of 2 answered, brought together by echo"));
  const auto json = shown();
  EXPECT_EQ(at(json, "/result/decide"), R"({"seen":{"other":{"decision":"no"},"quick":{"decision":"yes"}}})");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/aggregator"), "echo");
  EXPECT_EQ(at(json, "/verdicts/0/verdict/asked"), R"(["quick","other","echo"])");
  expect_sound();
}

TEST_F(strategies_test, an_aggregate_says_what_it_found_and_who_was_missing) {
  const auto text =
      run_step(R"(["quick", "other", "broken"])", "strategy = 'aggregate'\naggregator = 'judge'\nretry_degraded = 0\n");
  EXPECT_EQ(text.code, 3) << text.out << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("2 of 3 answered: quick and other, brought together by judge: 2 agreements, 1 conflict"),
                    HasSubstr("broken is missing")));
  EXPECT_EQ(at(shown(), "/result/decide/conflicts"), R"(["c"])");
}

TEST_F(strategies_test, an_aggregator_without_a_required_part_leaves_the_answers_as_they_are) {
  const auto text =
      run_step(R"(["quick", "other"])", "strategy = 'aggregate'\naggregator = 'echo'\nprompt = '{{outputs}}'\n");
  EXPECT_EQ(text.code, 3) << text.out << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("2 of 2 answered, not brought together"),
                    HasSubstr("echo is missing"),
                    HasSubstr("OUTPUT_INVALID")));
  EXPECT_EQ(at(shown(), "/result/decide"), R"({"other":{"decision":"no"},"quick":{"decision":"yes"}})");
  expect_sound();
}

TEST_F(strategies_test, an_aggregator_is_not_asked_below_the_quorum) {
  const auto text = run_step(R"(["quick", "broken"])", "strategy = 'aggregate'\naggregator = 'judge'\n");
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out, AllOf(HasSubstr("1 of 2 answered: quick, 2 needed"), Not(HasSubstr("judge is missing"))));
  expect_sound();
}

TEST_F(strategies_test, an_emergency_is_labelled_wherever_it_shows) {
  const auto text = run_step(R"(["quick", "broken", "mute"])",
                             "strategy = 'vote'\nquorum = 2\nmin_answers = 1\nretry_degraded = 0\n");
  EXPECT_EQ(text.code, 3) << text.out << text.err;
  const char* label = "emergency: 1 of 3 answered, the quorum is 2";
  EXPECT_THAT(text.out, AllOf(HasSubstr(label), HasSubstr("completed, degraded")));
  EXPECT_THAT(text.err, HasSubstr(label));
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr(label));
  EXPECT_THAT(run({"logs", "r1"}).out, HasSubstr(label));
  EXPECT_EQ(at(shown(), "/verdicts/0/verdict/emergency"), "true");
}

TEST_F(strategies_test, who_is_missing_is_tried_again_before_a_quorum_is_enough) {
  for (const int tries : {0, 2}) {
    const auto id = "r" + std::to_string(tries);
    run_step(R"(["quick", "other", "broken"])",
             "strategy = 'collect'\nquorum = 2\nretry_degraded = " + std::to_string(tries) + "\n",
             id);
  }
  const auto attempts = [&](const std::string& id) { return tasks_of(id).at(2).attempt.value(); };
  EXPECT_EQ(attempts("r2") - attempts("r0"), 2);
  EXPECT_EQ(run_of("r2").degraded, true);
}

TEST_F(strategies_test, after_the_soft_deadline_a_quorum_is_enough) {
  const auto text =
      run_step(R"(["quick", "other", "slow"])", "strategy = 'collect'\nquorum = 2\nsoft_deadline = '300ms'\n");
  expect_nobody_left();
  EXPECT_EQ(text.code, 3) << text.out << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("2 of 3 answered: quick and other"), HasSubstr("slow is missing: TASK_TIMEOUT")));
  expect_sound();
}

TEST_F(strategies_test, after_the_hard_deadline_nobody_is_waited_for) {
  const auto text = run_step(R"(["quick", "slow"])", "strategy = 'collect'\nhard_deadline = '300ms'\n");
  expect_nobody_left();
  EXPECT_EQ(text.code, 1) << text.out << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("QUORUM_NOT_MET"), HasSubstr("slow is missing: TASK_TIMEOUT")));
  expect_sound();
}

TEST_F(strategies_test, the_soft_deadline_without_a_quorum_waits_on_to_the_hard_one) {
  const auto text = run_step(R"(["quick", "slow", "broken"])",
                             "strategy = 'collect'\nquorum = 2\nsoft_deadline = '1ms'\nhard_deadline = '400ms'\n");
  expect_nobody_left();
  EXPECT_EQ(text.code, 1) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("1 of 3 answered: quick, 2 needed"));
}

// An answer that is there, and not what the vote is on, is missing from the verdict and its rows alike.
TEST_F(strategies_test, an_answer_that_does_not_count_has_no_row) {
  run_step(R"(["quick", "other", "judge"])", "strategy = 'vote'\nvote_on = '/decision'\nquorum = 1\n");
  EXPECT_EQ(at(shown(), "/verdicts/0/verdict/missing/0/agent"), "judge");
  expect_sound();
}

TEST_F(strategies_test, the_example_of_a_panel_shows_both) {
  const std::string examples = TROUPE_SOURCE_DIR "/docs/examples/";
  const auto text = run({"run", examples + "panel.toml", "--config", examples + "panel.config.toml", "--run-id", "r1"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("quick-author was first, 1 of 2 answered"),
                    HasSubstr("slow-author was stopped"),
                    HasSubstr("3 of 3 answered, brought together by chair: 0 agreements, 1 conflict"),
                    HasSubstr("2 say yes, 1 say no")));
}

}  // namespace
}  // namespace troupe
