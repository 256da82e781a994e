// probe.crash: where exactly the process dies, by what it leaves in the database.
#include "tests/recovery/crash_fixture.hpp"

#include <string>

namespace troupe {
namespace {

struct crash_case {
  std::string point;
  bool outcome_is_stored;  ///< When the process has died.
};

class crash_points_test : public crash_fixture, public ::testing::WithParamInterface<crash_case> {
 protected:
  static std::string flow(const std::string& point, int on_attempt) {
    return "name = 'crash'\n[[step]]\nid = 's'\nfunction = 'probe.crash'\nargs = { point = '" + point +
           "', on_attempt = " + std::to_string(on_attempt) +
           ", field = 'n', value = 1 }\nnext = 't'\n[[step]]\nid = 't'\nfunction = 'probe.set'\n"
           "args = { field = 'm', value = 2 }\n";
  }
};

TEST_P(crash_points_test, dies_there_and_nowhere_else) {
  const auto& [point, outcome_is_stored] = GetParam();
  write("calm.toml", flow(point, 9));
  const auto calm = json_of(run({"run", "calm.toml", "--run-id", "calm", "--json"}).out);
  ASSERT_EQ(at(calm, "/state"), "completed");

  write("crash.toml", flow(point, 1));
  const auto died = run({"run", "crash.toml", "--run-id", "r1"});
  ASSERT_EQ(died.code, killed_code) << died.err;
  expect_intact();
  const auto left = tasks_of("r1");
  ASSERT_GE(left.size(), 1U);
  EXPECT_EQ(left[0].state == task_state::completed, outcome_is_stored) << to_string(left[0].state);
  EXPECT_EQ(left[0].attempt, attempt_no{1}) << "it had begun";
  EXPECT_EQ(left[0].deltas.size(), outcome_is_stored ? 1U : 0U);
  EXPECT_EQ(count_events("r1", event_kind::task_completed, "s"), outcome_is_stored ? 1 : 0);
  if (point == "after_commit") {
    EXPECT_EQ(left.size(), 1U) << "nobody had been told, so nothing followed";
  }

  const auto resumed = run({"resume", "r1", "--json"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(at(json_of(resumed.out), "/state_hash"), at(calm, "/state_hash"));
  expect_whole_story("r1");
  EXPECT_EQ(count_events("r1", event_kind::task_started, "s"), outcome_is_stored ? 1 : 2);
  EXPECT_EQ(tasks_of("r1")[0].attempt, attempt_no{outcome_is_stored ? 1 : 2});
}

// Somebody was missing in a superstep that was committed before the death; the run has to say so at its end.
TEST_P(crash_points_test, what_was_degraded_before_stays_so) {
  write("troupe.toml",
        "[retry.agent]\nmax_attempts = 1\n[agents.there]\ncommand = ['/bin/sh', '-c', 'echo yes']\n"
        "[agents.missing]\ncommand = ['/bin/sh', '-c', 'exit 3']\n");
  write("crash.toml",
        "start = 'ask'\n" + flow(GetParam().point, 1) +
            "[[step]]\nid = 'ask'\nagents = ['there', 'missing']\nprompt = 'x'\nnext = 's'\n"
            "consensus = { quorum = 1, retry_degraded = 0 }\n");
  const auto died = run({"run", "crash.toml", "--run-id", "r1"});
  ASSERT_EQ(died.code, killed_code) << died.err;
  const auto resumed = run({"resume", "r1", "--json", "--strict"});
  EXPECT_EQ(resumed.code, 3) << resumed.err;
  EXPECT_EQ(at(json_of(resumed.out), "/state"), "completed");
  EXPECT_EQ(at(json_of(resumed.out), "/degraded"), "true");
}

INSTANTIATE_TEST_SUITE_P(points,
                         crash_points_test,
                         ::testing::Values(crash_case{"before_execute", false},
                                           crash_case{"after_execute", false},
                                           crash_case{"in_transaction", false},
                                           crash_case{"after_commit", true},
                                           crash_case{"in_publish", true}),
                         [](const auto& of) { return of.param.point; });

}  // namespace
}  // namespace troupe
