// A run on its way to sleep and back, disturbed after each message of it: nothing is lost, and nothing happens twice.
#include "tests/actors/run/gates_fixture.hpp"

#include <functional>
#include <string>

namespace troupe {
namespace {

const gate_place approve_at_two{superstep_no{2}, step_id{"approve"}, 1};

class every_moment_test : public run_gates_test {
 protected:
  void SetUp() override {
    begin(named(flow_of({function_step("start")}), "nothing"));
    expect_end(run_state::completed);
  }

  /// For each moment on the way from the end of the first step to the rest that follows: a run of its own, `what` at this
  /// moment, and then `expectation`.
  void at_every_moment(const workflow_ptr& flow,
                       const std::function<void()>& what,
                       const std::function<void()>& expectation) {
    int messages = 0;
    for (bool in_time = true; in_time; ++messages) {
      ASSERT_LT(messages, 2'000) << "it does not come to rest";
      SCOPED_TRACE("after " + std::to_string(messages) + " messages");
      begin_run(flow, "r-at-" + std::to_string(messages));
      house_.processes->exit(first_process_);
      for (int i = 0; i < messages && in_time; ++i) {
        in_time = house_.scheduler().try_run_once();
      }
      what();
      house_.advance(100ms);
      settle();
      expectation();
      ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_GT(messages, 20) << "there was hardly a moment to disturb";
  }

  void approve() { caf::anon_send(house_.runs.get(), decision_on(approve_at_two, gate_choice::approved, "ann")); }

  /// A decision that came before its question was refused, and is given again.
  void decide_what_is_open(const std::string& step) {
    if (open_gate_of(step)) {
      EXPECT_TRUE(decide(step).has_value());
    }
  }

  void finish_last() {
    const auto last = house_.processes->count() - 1;
    if (!house_.processes->at(last).ended) {
      house_.processes->exit(last);
      settle();
    }
  }
};

TEST_F(every_moment_test, a_decision_is_not_lost) {
  at_every_moment(
      guarded(),
      [&] { approve(); },
      [&] {
        decide_what_is_open("approve");
        exit(1);
        expect_end(run_state::completed);
        EXPECT_EQ(processes(), 2U);
      });
}

TEST_F(every_moment_test, a_decision_survives_the_death_of_the_run) {
  at_every_moment(
      guarded(),
      [&] {
        approve();
        caf::anon_send_exit(house_.run_actors.back(), caf::exit_reason::kill);
      },
      [&] {
        finish_last();  // the first step, if it began again
        decide_what_is_open("approve");
        finish_last();
        expect_end(run_state::completed);
      });
}

TEST_F(every_moment_test, the_question_survives_the_death_of_the_supervisor) {
  at_every_moment(
      guarded(),
      [&] { caf::anon_send_exit(house_.runs.get(), caf::exit_reason::kill); },
      [&] {
        house_.advance(3s);  // so that it does not die too often
        finish_last();
        decide_what_is_open("approve");
        finish_last();
        expect_end(run_state::completed);
      });
}

TEST_F(every_moment_test, a_cancel_is_not_lost) {
  at_every_moment(
      guarded(),
      [&] {
        approve();
        caf::anon_send(house_.runs.get(), cancel_run{run_id{id_}, true});
      },
      [&] {
        expect_end(run_state::cancelled);
        EXPECT_EQ(count("run.cancelled"), 1);
      });
}

TEST_F(every_moment_test, both_of_two_gates_are_decided) {
  at_every_moment(
      named(flow_of({agent_step("survey", {"a"}, {"one", "two"}), gate_step("one"), gate_step("two")}), "two"),
      [&] {
        const gate_place first{superstep_no{2}, step_id{"one"}, 1};
        const gate_place second{superstep_no{2}, step_id{"two"}, 1};
        caf::anon_send(house_.runs.get(), decision_on(first, gate_choice::approved, "ann"));
        caf::anon_send(house_.runs.get(), decision_on(second, gate_choice::rejected, "bob"));
      },
      [&] {
        decide_what_is_open("one");
        decide_what_is_open("two");
        expect_end(run_state::completed);
      });
}

// A drained house takes no more runs: one for each moment.
TEST(every_moment, a_drain_is_not_lost) {
  struct drained final : run_gates_test {
    bool after(int messages) {
      begin(guarded());
      house_.processes->exit(0);
      for (int i = 0; i < messages; ++i) {
        if (!house_.scheduler().try_run_once()) {
          return false;
        }
      }
      caf::anon_send(house_.runs.get(), drain_runs{true});
      house_.advance(100ms);
      settle();
      expect_end(run_state::paused);
      return true;
    }
    void TestBody() override {}
  };
  constexpr int stride = 5;
  int messages = 0;
  while (drained{}.after(messages)) {
    SCOPED_TRACE("after " + std::to_string(messages) + " messages");
    ASSERT_LT(messages += stride, 2'000);
  }
}

}  // namespace
}  // namespace troupe
