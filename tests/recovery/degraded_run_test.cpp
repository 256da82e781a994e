// A run that goes on without somebody stays degraded, however it is cut off afterwards.
#include "tests/recovery/crash_fixture.hpp"

namespace troupe {
namespace {

class degraded_run_test : public crash_fixture {
 protected:
  /// Two of three answer; then comes `next`.
  void prepare(const std::string& next) const {
    write("troupe.toml",
          counting_agent("a") + counting_agent("b") + counting_agent("broken", "exit 3;") +
              counting_agent("held", "[ -e go ] || exec sleep 60;"));
    write("work.toml",
          "name = 'work'\n[[step]]\nid = 'ask'\nagents = ['a', 'b', 'broken']\nprompt = 'x'\nretry = { max_attempts = "
          "1 }\n"
          "next = 'after'\n[step.consensus]\nstrategy = 'collect'\nquorum = 2\nretry_degraded = 0\n[[step]]\nid = "
          "'after'\n" +
              next);
  }
};

TEST_F(degraded_run_test, when_the_process_is_killed) {
  prepare("agent = 'held'\nprompt = 'x'\n");
  auto running = start({"run", "work.toml", "--run-id", "r1"});
  ASSERT_TRUE(becomes_true([&] { return effects().size() == 4; })) << "the superstep of the verdict is committed";
  running.signal(SIGKILL);
  ASSERT_EQ(running.wait().code, killed_code);
  EXPECT_TRUE(run_of("r1").degraded) << "as soon as it was decided";
  write("go", "");
  const auto resumed = run({"resume", "r1", "--strict", "--json"});
  EXPECT_EQ(resumed.code, 3) << resumed.err;
  EXPECT_EQ(at(json_of(resumed.out), "/state"), "completed");
  EXPECT_EQ(at(json_of(resumed.out), "/degraded"), "true");
  expect_intact();
}

TEST_F(degraded_run_test, when_it_waits_for_a_person) {
  prepare("gate = { prompt = 'Go on?' }\n");
  ASSERT_EQ(run({"run", "work.toml", "--run-id", "r1"}).code, 4);
  EXPECT_TRUE(run_of("r1").degraded);
  decide_gates("r1", gate_choice::approved);
  const auto resumed = run({"resume", "r1", "--strict", "--json"});
  EXPECT_EQ(resumed.code, 3) << resumed.err;
  EXPECT_EQ(at(json_of(resumed.out), "/degraded"), "true");
}

}  // namespace
}  // namespace troupe
