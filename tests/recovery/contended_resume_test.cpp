// Two processes go on with the same run at once: one does it, the other is told who has it, and does nothing.
#include "tests/recovery/crash_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <memory>

namespace troupe {
namespace {

using ::testing::HasSubstr;

constexpr int rounds = 20;

// Of a child that is not waited for yet.
bool has_ended(pid_t pid) {
  siginfo_t told{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &told, WEXITED | WNOHANG | WNOWAIT) == 0 && told.si_pid == pid;
}

class contended_resume_test : public crash_fixture {
 protected:
  void SetUp() override {
    write("three.toml", R"(
name = "three"
[[step]]
id = "first"
agent = "quick"
prompt = "x"
next = "held"
[[step]]
id = "held"
agent = "slow"
prompt = "x"
next = "last"
[[step]]
id = "last"
agent = "quick"
prompt = "x"
)");
    write("troupe.toml", counting_agent("quick") + counting_agent("slow", "head -n 1 held;"));
  }

  int lines_of(const std::string& id, const std::string& step) const {
    const auto all = effects();
    return static_cast<int>(
        std::ranges::count_if(all, [&](const effect& each) { return each.run == id && each.step == step; }));
  }
};

TEST_F(contended_resume_test, one_goes_on_and_the_other_is_told) {
  const latch held{path("held")};
  for (int round = 1; round <= rounds; ++round) {
    const auto id = "r" + std::to_string(round);
    SCOPED_TRACE(id);
    auto first = start({"run", "three.toml", "--run-id", id});
    ASSERT_TRUE(becomes_true([&] { return lines_of(id, "held") == 1; }));
    first.signal(SIGKILL);
    ASSERT_EQ(first.wait().code, killed_code);

    std::array<std::unique_ptr<cli_process>, 2> both;
    for (auto& each : both) {
      each.reset(new cli_process{start({"resume", id, "--json"})});
    }
    ASSERT_TRUE(becomes_true([&] { return has_ended(both[0]->pid()) || has_ended(both[1]->pid()); }));
    const std::size_t loser = has_ended(both[0]->pid()) ? 0 : 1;
    const auto told = both.at(loser)->wait();
    EXPECT_EQ(told.code, 8) << told.err;
    EXPECT_THAT(told.out + told.err, HasSubstr("LEASE_HELD"));
    ASSERT_TRUE(becomes_true([&] { return lines_of(id, "held") == 2; }));
    EXPECT_FALSE(has_ended(both.at(1 - loser)->pid())) << "it waits for its agent";
    held.let_go();
    const auto done = both.at(1 - loser)->wait();
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(lines_of(id, "first"), 1) << "committed before the death";
    EXPECT_EQ(lines_of(id, "held"), 2) << "once in each life of the run";
    EXPECT_EQ(lines_of(id, "last"), 1);
    expect_whole_story(id);
  }
}

}  // namespace
}  // namespace troupe
