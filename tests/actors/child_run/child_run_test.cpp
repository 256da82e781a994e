// Runs within runs, all on one thread and in virtual time.
#include "actors/child_run/child_run_id.hpp"
#include "messages/interfaces/any_actor.hpp"
#include "storage/check.hpp"
#include "tests/support/house.hpp"
#include "tests/support/nested.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* child_toml = R"(
name = "child"
[inputs.file]
required = true
[inputs.topic]
[[step]]
id = "ask"
agent = "a"
prompt = "{{inputs.file}}"
)";

constexpr const char* asking_child_toml = R"(
name = "asking"
[inputs.file]
required = true
[[step]]
id = "ask"
agent = "a"
next = "gate"
[[step]]
id = "gate"
gate = { prompt = "Go?", expires = "20s", on_expiry = "approve" }
next = "then"
[[step]]
id = "then"
agent = "b"
)";

std::string parent_toml(const std::string& files, const std::string& of_step = "", const std::string& rest = "") {
  return "name = 'parent'\n[inputs.topic]\n[state.files]\ninitial = " + files +
         "\nreduce = 'last'\n[[step]]\nid = 'each'\nmap = { over = '/files', as = 'file', agent = 'x' }\n" + of_step +
         rest;
}

constexpr const char* outer_toml = R"(
name = "outer"
[inputs.file]
[state.files]
initial = [1]
reduce = "last"
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "x" }
)";

class child_run_test : public testing::Test {
 protected:
  void begin(const workflow_ptr& flow, const std::string& inputs = "{}") {
    house_.start();
    const auto reply = house_.submit(flow, "r-1", inputs);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    house_.listen();
  }

  static run_id child_of(const run_id& run, std::int64_t item, const std::string& name, int failures = 0) {
    return child_run_id(make_task_id(run, superstep_no{1}, step_id{"each"}, agent_name{name}, item), failures);
  }

  run_id child(std::int64_t item, int failures = 0, const std::string& name = "child") const {
    return child_of(run_id{"r-1"}, item, name, failures);
  }

  run_view view(const run_id& run) { return house_.view(run.str()); }
  run_view parent() { return house_.view(); }

  bool exists(const run_id& run) {
    auto session = read_session::open(house_.database.options());
    return (*session)->find_run(run).has_value();
  }

  event_batch events_of(const run_id& run) {
    auto session = read_session::open(house_.database.options());
    return *(*session)->list_events(run, event_seq{0}, 1'000);
  }

  std::int64_t count(const std::string& kind) {
    const auto all = house_.kinds();
    return std::ranges::count(all, kind);
  }

  void cancel(const run_id& run) {
    caf::anon_send(house_.runs.get(), cancel_run{run});
    house_.settle();
  }

  void drain() {
    caf::anon_send(house_.runs.get(), drain_runs{});
    house_.settle();
  }

  write_reply decide(const run_id& run, std::int64_t superstep = 2, const std::string& gate = "gate") {
    write_reply answer = error{error_code::internal, "no answer", ""};
    caf::scoped_actor self{*house_.system};
    decide_gate decision;
    decision.run = run;
    decision.place = {superstep_no{superstep}, step_id{gate}};
    decision.decision.by = "ann";
    auto asked = self->request(house_.runs.get(), caf::infinite, decision);
    for (int i = 0; i < 50 && self->mailbox().empty(); ++i) {
      house_.settle();
    }
    asked.receive([&](const write_reply& reply) { answer = reply; }, [](const caf::error&) {});
    house_.settle();
    return answer;
  }

  void expect_end(run_state state) {
    EXPECT_EQ(parent().state, state) << (parent().why ? parent().why->message : "");
    EXPECT_THAT(house_.seqs_are_gapless(), IsEmpty());
    ASSERT_FALSE(house_.events.empty());
    EXPECT_TRUE(ends_run(house_.events.back().kind));
    auto session = read_session::open(house_.database.options());
    EXPECT_THAT(*(*session)->list_unfinished(), IsEmpty());
  }

  // Runs that have an actor, asleep or not.
  std::size_t runs_at_work() {
    std::size_t at_work = 0;
    caf::scoped_actor self{*house_.system};
    auto asked = self->request(caf::actor_cast<caf::actor>(house_.runs.get()), caf::infinite, ping_query{});
    house_.settle();
    asked.receive([&](const ping_view& view) { at_work = view.children.size(); }, [](const caf::error&) {});
    return at_work;
  }

  // Of those that run: which process has this prompt.
  std::size_t process_of(const std::string& prompt) {
    for (std::size_t i = 0; i < house_.processes->count(); ++i) {
      const auto& each = house_.processes->at(i);
      if (!each.ended && *each.request.standard_input == prompt) {
        return i;
      }
    }
    ADD_FAILURE() << "no process has the prompt " << prompt;
    return 0;
  }

  house house_;
};

TEST_F(child_run_test, final_states_come_in_the_order_of_the_list_whatever_order_they_end_in) {
  begin(nested(parent_toml("['x', 'y', 'z']"), alone(child_toml)), R"({"topic":"locks"})");
  ASSERT_EQ(house_.processes->count(), 3U);
  for (const auto* file : {"z", "x", "y"}) {
    house_.processes->exit(process_of(file), std::string{"about "} + file);
    house_.settle();
  }
  expect_end(run_state::completed);
  EXPECT_EQ(parent().result.str(),
            R"({"each":[{"ask":"about x"},{"ask":"about y"},{"ask":"about z"}],"files":["x","y","z"]})");
  EXPECT_EQ(parent().children, 3);
  EXPECT_FALSE(parent().degraded);
}

TEST_F(child_run_test, a_child_is_a_run_with_its_own_workflow_and_its_parents_configuration) {
  const auto flow = nested(parent_toml("[{ name = 'x' }]"), alone(child_toml));
  begin(flow, R"({"topic":"locks"})");
  const auto run = view(child(0));
  EXPECT_EQ(run.workflow, "child");
  EXPECT_EQ(run.workflow_hash, flow->steps[0].map->flow->hash);
  EXPECT_EQ(run.inputs.str(), R"({"file":{"name":"x"},"topic":"locks"})");
  EXPECT_EQ(run.subject, parent().subject);
  EXPECT_EQ(run.parent, run_id{"r-1"});
  EXPECT_EQ(run.parent_task->str(), "r-1/1/each/child/0");
  auto session = read_session::open(house_.database.options());
  const auto rows = (*session)->load_recovery(child(0));
  ASSERT_TRUE(rows.has_value()) << "the configuration is there";
  EXPECT_EQ(rows->workflow_source, flow->steps[0].map->flow->source);
  EXPECT_EQ(house_.tasks()[0].agent.str(), "child");
}

TEST_F(child_run_test, the_steps_and_the_runs_limits_count_children) {
  auto toml = parent_toml("[1, 2, 3, 4, 5]");
  toml.insert(0, "limits = { max_concurrent = 2 }\n");
  begin(nested(toml, alone(child_toml)));
  EXPECT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(0);
  house_.settle();
  EXPECT_EQ(house_.processes->count(), 3U);
  house_.processes->answer_all_with("ok");
  house_.processes->exit(1);
  house_.processes->exit(2);
  house_.settle();
  expect_end(run_state::completed);
}

TEST_F(child_run_test, three_levels_need_no_more_than_one_place) {
  house_.limits.attempts_max = 1;
  house_.processes->answer_all_with("ok");
  const auto inner = nested(std::string{"name = 'inner'\n"} + (outer_toml + 16), alone(child_toml));
  begin(nested(parent_toml("[1, 2]"), nested(outer_toml, inner)));
  expect_end(run_state::completed);
  EXPECT_EQ(house_.processes->count(), 2U);
}

TEST_F(child_run_test, a_hundred_children) {
  std::string files;
  for (int i = 0; i < 100; ++i) {
    files += (i == 0 ? "[" : ", ") + std::to_string(i);
  }
  house_.processes->answer_all_with("ok");
  begin(nested(parent_toml(files + "]"), alone(child_toml)));
  expect_end(run_state::completed);
  EXPECT_EQ(parent().children, 100);
  EXPECT_EQ(house_.processes->count(), 100U);
}

TEST_F(child_run_test, a_child_that_fails_fails_the_step_and_is_named) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  house_.processes->exit(0, "no", 3);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::agent_exit);
  EXPECT_THAT(parent().why->message, HasSubstr("child run " + child(0).str() + " failed"));
  EXPECT_EQ(house_.processes->count(), 1U) << "nothing is tried again that says nothing of it";
}

TEST_F(child_run_test, the_step_of_on_error_takes_its_place) {
  begin(nested(parent_toml("[1, 2]",
                           "on_error = 'report'\n",
                           "[[step]]\nid = 'report'\nagent = 'b'\n"
                           "prompt = '{{state.last_error.message}}'\n"),
               alone(child_toml)));
  house_.processes->exit(process_of("1"), "no", 3);
  house_.processes->exit(process_of("2"));
  house_.settle();
  ASSERT_EQ(house_.processes->count(), 3U);
  EXPECT_THAT(*house_.processes->at(2).request.standard_input, HasSubstr(child(0).str()));
  house_.processes->exit(2);
  house_.settle();
  expect_end(run_state::completed);
}

TEST_F(child_run_test, somebody_missing_in_a_child_is_missing_in_the_result) {
  begin(nested(parent_toml("[1]"), alone(R"(
name = "child"
[inputs.file]
[[step]]
id = "ask"
agents = ["a", "b", "c"]
[step.consensus]
retry_degraded = 0
)")));
  house_.processes->exit(0);
  house_.processes->exit(1);
  house_.processes->exit(2, "no", 3);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_TRUE(view(child(0)).degraded);
  EXPECT_TRUE(parent().degraded);
}

TEST_F(child_run_test, inputs_that_do_not_fit_begin_no_child) {
  begin(nested(parent_toml("[1]"), alone("name = 'child'\n[[step]]\nid = 'ask'\nagent = 'a'\n")));
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::invalid_input);
  EXPECT_FALSE(exists(child(0)));
}

TEST_F(child_run_test, a_child_is_tried_again_as_another_run_where_the_step_says_so) {
  begin(nested(parent_toml("[1]", "retry = { max_attempts = 2, initial = '1s', jitter = 0.0 }\n"), alone(child_toml)));
  house_.processes->exit(0, "no", 3);
  house_.settle();
  EXPECT_EQ(count("task.retrying"), 1);
  house_.advance(2'000ms);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1, "yes");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(view(child(0, 0)).state, run_state::failed);
  EXPECT_EQ(view(child(0, 1)).state, run_state::completed);
}

TEST_F(child_run_test, cancel_reaches_three_levels_and_ends_from_below) {
  const auto inner = nested(std::string{"name = 'inner'\n"} + (outer_toml + 16), alone(child_toml));
  begin(nested(parent_toml("[1, 2]"), nested(outer_toml, inner)));
  ASSERT_EQ(house_.processes->count(), 2U);
  cancel(run_id{"r-1"});
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_TRUE(house_.processes->at(i).terminated);
  }
  const auto outer = child(0, 0, "outer");
  const auto deep = child_of(child_of(outer, 0, "inner"), 0, "child");
  EXPECT_EQ(parent().state, run_state::running) << "something of it still runs";
  EXPECT_EQ(view(outer).state, run_state::running);
  house_.processes->exit(0);
  house_.processes->exit(1);
  house_.settle();
  expect_end(run_state::cancelled);
  EXPECT_EQ(view(outer).state, run_state::cancelled);
  EXPECT_EQ(view(deep).state, run_state::cancelled);
  EXPECT_EQ(house_.tasks()[0].state, task_state::cancelled);
}

TEST_F(child_run_test, a_second_cancel_kills) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  cancel(run_id{"r-1"});
  EXPECT_FALSE(house_.processes->at(0).killed);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, true});
  house_.settle();
  EXPECT_TRUE(house_.processes->at(0).killed);
  expect_end(run_state::cancelled);
}

// SIGTERM, kill_grace (5 s), SIGKILL, drain_grace (2 s), and then another 10 s for what commits the ends.
TEST_F(child_run_test, a_child_that_never_ends_is_given_up_and_ends_with_its_parent) {
  begin(nested(parent_toml("[1]"), nested(outer_toml, alone(child_toml))));
  house_.processes->immortal = true;
  cancel(run_id{"r-1"});
  house_.advance(16'990ms);
  EXPECT_TRUE(house_.processes->at(0).killed);
  EXPECT_EQ(parent().state, run_state::running) << "it would be told as ended while it may be at work";
  house_.advance(20ms);
  expect_end(run_state::cancelled);
  const auto outer = child(0, 0, "outer");
  const auto deep = child_of(outer, 0, "child");
  EXPECT_EQ(view(outer).state, run_state::cancelled);
  EXPECT_EQ(view(deep).state, run_state::cancelled);
  const auto last = view(deep).last_seq;
  house_.processes->exit(0, "late");
  house_.settle();
  EXPECT_EQ(view(deep).last_seq, last) << "what comes after the end is not taken";
  EXPECT_THAT(*check_database(house_.database.options()), IsEmpty());
}

// Its parent's end is in the rows, and it has not been told: what it does next is refused, and it goes.
TEST_F(child_run_test, a_child_that_ended_in_its_rows_leaves_without_an_alarm) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  house_.listen(child(0).str());
  end_run over;
  over.run = run_id{"r-1"};
  over.end.state = run_state::cancelled;
  over.from = parent().last_seq;
  over.at = house_.clock->now();
  caf::anon_send(house_.writer.actor.get(),
                 write_request{std::make_shared<const write_command>(over), house_.writer.epoch});
  house_.settle();
  ASSERT_EQ(view(child(0)).state, run_state::cancelled);
  house_.processes->exit(0, "late");
  house_.settle();
  EXPECT_FALSE(house_.stopped.has_value()) << house_.stopped->message;
  EXPECT_EQ(house_.tasks(child(0).str()).at(0).state, task_state::cancelled);
  EXPECT_THAT(*check_database(house_.database.options()), IsEmpty());
}

TEST_F(child_run_test, a_child_can_be_cancelled_alone_and_its_step_fails) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  cancel(child(0));
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::cancelled);
  EXPECT_THAT(parent().why->message, HasSubstr(child(0).str()));
}

TEST_F(child_run_test, a_step_that_waits_no_longer_cancels_its_child) {
  begin(nested(parent_toml("[1]", "timeout = '1m'\n"), alone(child_toml)));
  house_.advance(59'000ms);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  house_.advance(2'000ms);
  EXPECT_TRUE(house_.processes->at(0).terminated);
  EXPECT_EQ(parent().state, run_state::running);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::task_timeout);
  EXPECT_EQ(view(child(0)).state, run_state::cancelled);
}

TEST_F(child_run_test, a_child_has_no_more_time_than_its_parent) {
  auto toml = parent_toml("[1]");
  toml.insert(0, "limits = { wall_clock = '1m' }\n");
  begin(nested(toml, alone(child_toml)));
  auto session = read_session::open(house_.database.options());
  EXPECT_EQ((*session)->load_recovery(child(0))->deadline, (*session)->load_recovery(run_id{"r-1"})->deadline);
  house_.advance(61'000ms);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::run_timeout);
}

TEST_F(child_run_test, a_child_has_no_more_money_and_tokens_than_its_parent) {
  auto toml = parent_toml("[1]");
  toml.insert(0, "limits = { budget_usd = 2.5, budget_tokens = 1000 }\n");
  const auto rows_of = [this](const run_id& run) {
    return *(*read_session::open(house_.database.options()))->load_recovery(run);
  };
  begin(nested(toml, alone(child_toml)));
  EXPECT_EQ(rows_of(child(0)).budget.microusd, 2'500'000);
  EXPECT_EQ(rows_of(child(0)).budget.tokens, 1'000);

  const auto frugal = std::string{"limits = { budget_usd = 0.5, budget_tokens = 10 }\n"} + child_toml;
  ASSERT_TRUE(house_.submit(nested(toml, alone(frugal)), "r-2").has_value());
  house_.settle();
  const auto own = child_of(run_id{"r-2"}, 0, "child");
  EXPECT_EQ(rows_of(own).budget.microusd, 500'000);
  EXPECT_EQ(rows_of(own).budget.tokens, 10);
}

TEST_F(child_run_test, an_attempt_that_dies_of_a_bug_is_followed_by_one_of_the_same_child) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  const auto following = house_.agent_actors.at(0);
  house_.kill(following);
  EXPECT_EQ(house_.tasks()[0].attempt.value(), 2);
  EXPECT_EQ(house_.processes->count(), 1U) << "the child has noticed nothing";
  house_.processes->exit(0, "once");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(parent().result.str(), R"({"each":[{"ask":"once"}],"files":[1]})");
}

TEST_F(child_run_test, a_parent_that_dies_of_a_bug_finds_its_child_at_work) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  house_.kill(house_.run_actors.at(0));
  house_.advance(100ms);
  EXPECT_EQ(house_.processes->count(), 1U);
  house_.processes->exit(0, "once");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.tasks()[0].attempt.value(), 2);
}

TEST_F(child_run_test, a_child_that_ended_meanwhile_gives_its_result_from_its_rows) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  const auto root = house_.run_actors.at(0);
  house_.processes->exit(0, "once");
  caf::anon_send_exit(root, caf::exit_reason::kill);
  house_.advance(100ms);
  expect_end(run_state::completed);
  EXPECT_EQ(house_.processes->count(), 1U);
}

TEST_F(child_run_test, a_child_whose_actor_dies_of_a_bug_goes_on_under_the_same_attempt) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  ASSERT_EQ(house_.run_actors.size(), 2U);
  house_.kill(house_.run_actors.at(1));
  house_.advance(100ms);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1, "again");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.tasks()[0].attempt.value(), 1);
}

TEST_F(child_run_test, a_parent_whose_child_is_left_stops_as_well_and_both_can_be_gone_on_with) {
  const auto flow = nested(parent_toml("[1]"), alone(child_toml));
  begin(flow);
  for (int deaths = 0; deaths < 4; ++deaths) {  // one more than the intensity allows
    house_.kill(house_.run_actors.back());
  }
  ASSERT_TRUE(house_.stopped.has_value()) << "nothing can be promised of the child";
  EXPECT_EQ(parent().state, run_state::running);
  EXPECT_EQ(runs_at_work(), 0U);
  house_.processes->answer_all_with("ok");
  ASSERT_TRUE(house_.submit(flow).has_value());
  house_.advance(100ms);
  EXPECT_EQ(parent().state, run_state::completed);
}

TEST_F(child_run_test, a_new_run_supervisor_takes_both_up) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  house_.kill(house_.runs.get());
  house_.advance(200ms);
  house_.processes->answer_all_with("ok");
  for (std::size_t i = 0; i < house_.processes->count(); ++i) {
    if (!house_.processes->at(i).ended) {
      house_.processes->exit(i, "ok");
    }
  }
  house_.advance(200ms);
  expect_end(run_state::completed);
}

TEST_F(child_run_test, a_new_event_hub_loses_nothing_of_a_child) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  house_.kill(house_.hub.get());
  house_.processes->exit(0, "ok");
  house_.advance(200ms);
  EXPECT_EQ(parent().state, run_state::completed);
}

TEST_F(child_run_test, a_drain_pauses_both_and_neither_has_failed) {
  begin(nested(parent_toml("[1]", "on_crash = 'fail'\n"), alone(child_toml)));
  drain();
  EXPECT_EQ(parent().state, run_state::running) << "the child's task has its time";
  house_.advance(11'000ms);
  EXPECT_EQ(parent().state, run_state::paused);
  EXPECT_EQ(view(child(0)).state, run_state::paused);
  EXPECT_EQ(house_.tasks()[0].state, task_state::interrupted);
}

TEST_F(child_run_test, a_task_of_a_child_that_ends_while_the_node_drains_counts) {
  begin(nested(parent_toml("[1]"), alone(child_toml)));
  drain();
  house_.processes->exit(0, "in time");
  house_.settle();
  expect_end(run_state::completed);
}

// --- A child that waits for a person ---------------------------------------------------------------------------------

class asking_child_test : public child_run_test {
 protected:
  run_id asking(std::int64_t item = 0) const { return child(item, 0, "asking"); }

  void begin_and_ask(const std::string& files = "[1]", const std::string& rest = "") {
    begin(nested(parent_toml(files, "", rest), alone(asking_child_toml)));
    house_.processes->answer_all_with("ok");
    for (std::size_t i = 0; i < house_.processes->count(); ++i) {
      house_.processes->exit(i, "ok");
    }
    house_.settle();
  }
};

TEST_F(asking_child_test, its_parent_waits_as_well_and_goes_on_when_it_is_decided) {
  begin_and_ask();
  EXPECT_EQ(view(asking()).state, run_state::paused);
  EXPECT_EQ(parent().state, run_state::paused);
  EXPECT_EQ(count("run.paused"), 1);
  EXPECT_THAT(house_.events.back().data.str(), HasSubstr("approval"));
  ASSERT_TRUE(decide(asking()).has_value());
  house_.advance(100ms);
  expect_end(run_state::completed);
  EXPECT_THAT(parent().result.str(), HasSubstr("\"then\":\"ok\""));
}

TEST_F(asking_child_test, its_parent_goes_on_when_the_gate_expires) {
  begin_and_ask();
  ASSERT_EQ(parent().state, run_state::paused);
  house_.advance(21'000ms);
  expect_end(run_state::completed);
}

TEST_F(asking_child_test, of_two_the_parent_waits_for_both) {
  begin_and_ask("[1, 2]");
  ASSERT_EQ(parent().state, run_state::paused);
  ASSERT_TRUE(decide(asking(1)).has_value());
  house_.advance(100ms);
  EXPECT_EQ(view(asking(1)).state, run_state::completed);
  EXPECT_EQ(parent().state, run_state::paused) << "the other still waits";
  ASSERT_TRUE(decide(asking(0)).has_value());
  house_.advance(100ms);
  expect_end(run_state::completed);
}

TEST_F(asking_child_test, a_cancelled_parent_takes_a_waiting_child_with_it) {
  begin_and_ask();
  ASSERT_EQ(parent().state, run_state::paused);
  cancel(run_id{"r-1"});
  house_.advance(100ms);
  expect_end(run_state::cancelled);
  EXPECT_EQ(view(asking()).state, run_state::cancelled);
  EXPECT_EQ(events_of(asking()).back().kind, event_kind::run_cancelled);
  EXPECT_FALSE(decide(asking()).has_value()) << "nobody is asked any more";
  EXPECT_EQ(runs_at_work(), 0U) << "it slept, and was told";
}

TEST_F(asking_child_test, so_does_one_that_was_gone_on_with) {
  begin_and_ask();
  house_.crash();
  house_.start();
  ASSERT_TRUE(house_.submit(nested(parent_toml("[1]"), alone(asking_child_toml))).has_value());
  house_.advance(100ms);
  ASSERT_EQ(view(asking()).state, run_state::paused);
  ASSERT_EQ(runs_at_work(), 2U);
  cancel(run_id{"r-1"});
  house_.advance(100ms);
  EXPECT_EQ(view(asking()).state, run_state::cancelled);
  EXPECT_EQ(runs_at_work(), 0U);
}

TEST_F(asking_child_test, a_waiting_child_that_is_cancelled_alone_fails_its_step) {
  begin_and_ask();
  cancel(asking());
  house_.advance(100ms);
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::cancelled);
}

TEST_F(asking_child_test, a_parent_that_wakes_for_something_else_finds_it_still_waiting) {
  auto toml = parent_toml("[1]",
                          "",
                          "[[step]]\nid = 'start'\nagent = 'c'\nnext = ['each', 'own']\n"
                          "[[step]]\nid = 'own'\ngate = { prompt = 'And this?' }\n");
  toml.insert(0, "start = 'start'\n");
  house_.processes->answer_all_with("ok");
  begin(nested(toml, alone(asking_child_toml)));
  const auto child =
      child_run_id(make_task_id(run_id{"r-1"}, superstep_no{2}, step_id{"each"}, agent_name{"asking"}, 0), 0);
  ASSERT_EQ(parent().state, run_state::paused);
  ASSERT_TRUE(decide(run_id{"r-1"}, 2, "own").has_value());
  house_.advance(100ms);
  EXPECT_EQ(parent().state, run_state::paused);
  EXPECT_EQ(view(child).state, run_state::paused);
  ASSERT_TRUE(decide(child).has_value());
  house_.advance(100ms);
  expect_end(run_state::completed);
}

TEST_F(asking_child_test, three_levels_wait_and_go_on_together) {
  const auto inner = nested(outer_toml, alone(asking_child_toml));
  begin(nested(parent_toml("[1]"), inner));
  house_.processes->answer_all_with("ok");
  house_.processes->exit(0, "ok");
  house_.settle();
  const auto middle = child(0, 0, "outer");
  EXPECT_EQ(view(middle).state, run_state::paused);
  ASSERT_EQ(parent().state, run_state::paused);
  ASSERT_TRUE(decide(child_of(middle, 0, "asking")).has_value());
  house_.advance(100ms);
  expect_end(run_state::completed);
}

// Of its parent, which has used up some of it; its own would be more, or is less.
TEST_F(child_run_test, has_no_more_of_a_budget_than_is_left) {
  house_.prices = {{"m", {{1'000'000}, {1'000'000}}}};
  house_.model = "m";
  std::string toml = parent_toml("['x']");
  toml.insert(0, "limits = { budget_usd = 1.0, budget_tokens = 5000, budget_time = '1h' }\n");
  std::string child_text = child_toml;
  child_text.insert(0, "limits = { budget_usd = 2.0, budget_tokens = 3000 }\n");
  begin(nested(toml, alone(child_text)));
  auto session = read_session::open(house_.database.options());
  EXPECT_EQ((*session)->load_recovery(child(0))->budget, (budget_limits{1'000'000, 3'000, 1h}));
  house_.advance(2min);
  house_.processes->exit(0, "done");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(view(child(0)).attempt_time, 2min);
  EXPECT_EQ(parent().attempt_time, 2min) << "the child's, and not that of the task which waited for it as well";
}

TEST_F(child_run_test, ends_where_its_parent_has_no_time_left) {
  std::string toml = parent_toml("['x', 'y']");
  toml.insert(0, "limits = { budget_time = '15m' }\n");
  std::string child_text = child_toml;
  child_text += "timeout = '10m'\n";
  begin(nested(toml, alone(child_text)));
  EXPECT_EQ(house_.processes->count(), 1U) << "ten minutes are reserved by the other";
  house_.processes->exit(0, "done");
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(parent().why->code, error_code::budget_exceeded);
}

}  // namespace
}  // namespace troupe
