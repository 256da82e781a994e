// What an agent shows of its attempt, with a scripted process: one thread, virtual time.
#include "storage/write_session.hpp"
#include "tests/support/house.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

TEST(agent_actor_test, a_silence_is_over_with_the_next_line) {
  house place;
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n"));
  place.listen();
  const auto listener = place.processes->at(0).listener;
  listener.silent({2'000ms, std::chrono::microseconds{7}, std::chrono::microseconds{0}, 1'000ms});
  place.settle();
  listener.progress("a line", 6);
  place.settle();
  ASSERT_EQ(place.progress.size(), 2U);
  EXPECT_EQ(place.progress[0].silent, 2'000ms);
  EXPECT_EQ(place.progress[1].silent, 0ms);
  EXPECT_EQ(place.progress[1].last_line, "a line");
  EXPECT_EQ(place.progress[1].bytes, 6);
}

// Invariant 6, looked at from within the work: the rows say already that it may have been done.
TEST(agent_actor_test, a_function_begins_when_its_start_is_committed) {
  house place;
  std::optional<task_state> seen;
  place.functions["work"] = [&](const function_request&) -> result<function_reply> {
    seen = place.tasks().at(0).state;
    return function_reply{};
  };
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"do\"\nfunction = \"work\"\n"));
  EXPECT_EQ(seen, task_state::running);
  EXPECT_EQ(place.view().state, run_state::completed);
}

TEST(agent_actor_test, so_does_an_agent_that_must_not_be_repeated_unasked) {
  house place;
  std::optional<task_state> seen;
  place.processes->answer_all_with("done", [&] {
    seen = place.tasks().at(0).state;
    return 0;
  });
  place.start();
  const std::string step = "[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n";
  ASSERT_TRUE(place.submit("name = \"careful\"\n" + step + "on_crash = \"ask\"\n"));
  EXPECT_EQ(seen, task_state::running);
  EXPECT_EQ(place.view().state, run_state::completed);
}

// Looks at the rows when an answer is given to it.
class looking_recorder final : public answer_recorder {
 public:
  explicit looking_recorder(std::function<task_state()> look) : look_(std::move(look)) {}
  void record(const attempt_order& order, const recorded_answer& answer) override {
    seen.emplace_back(look_());
    said.push_back(order.task.agent.str() + ' ' + *answer.end.standard_output);
  }

  std::vector<task_state> seen;
  std::vector<std::string> said;

 private:
  std::function<task_state()> look_;
};

TEST(agent_actor_test, an_answer_is_recorded_when_its_attempt_is_committed) {
  house place;
  const auto recorder = std::make_shared<looking_recorder>([&] { return place.tasks().at(0).state; });
  place.recorder = recorder;
  place.processes->answer_all_with("done");
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n"));
  EXPECT_EQ(recorder->seen, std::vector{task_state::completed});
  EXPECT_EQ(recorder->said, std::vector<std::string>{"a done"});
}

TEST(agent_actor_test, an_answer_whose_attempt_is_never_committed_is_not_recorded) {
  house place;
  const auto recorder = std::make_shared<looking_recorder>([] { return task_state::completed; });
  place.recorder = recorder;
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n"));
  place.processes->exit(0, "done");
  while (place.tasks().at(0).state != task_state::validating) {
    ASSERT_TRUE(place.scheduler().has_job()) << "its output was never committed";
    place.scheduler().run_once();
  }
  const auto session = write_session::open(place.database.options(), place.writer.epoch);
  ASSERT_TRUE(session && (*session)->begin());
  run_end cancelled;
  cancelled.state = run_state::cancelled;
  ASSERT_TRUE((*session)->apply(end_run{run_id{"r-1"}, cancelled, place.view().last_seq, place.clock->now()}));
  ASSERT_TRUE((*session)->commit());
  place.settle();
  EXPECT_TRUE(recorder->said.empty());
}

}  // namespace
}  // namespace troupe
