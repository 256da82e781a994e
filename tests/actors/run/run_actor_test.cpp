// A run and its agents on one thread, in virtual time.
#include "actors/actor_guard.hpp"
#include "config/workflow_file.hpp"
#include "tests/actors/run/run_fixture.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/nested.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* with_timeout = R"(
name = "late"
[[step]]
id = "ask"
agent = "a"
prompt = "hello"
timeout = "1m"
)";

class run_actor_test : public run_fixture {};

TEST_F(run_actor_test, starts_the_agents_of_a_step_together_and_waits_for_all) {
  begin(three_agents);
  ASSERT_EQ(house_.processes->count(), 3U);
  EXPECT_EQ(*house_.processes->at(0).request.standard_input, "hello");
  house_.processes->exit(2, "third");
  house_.processes->exit(0, "first");
  house_.settle();
  EXPECT_EQ(count("superstep.committed"), 0);
  EXPECT_EQ(count("task.completed"), 2);  // each on its own, before its siblings
  house_.processes->exit(1, "second");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().result.str(), R"({"ask":{"a":"first","b":"second","c":"third"}})");
}

TEST_F(run_actor_test, commits_raw_output_before_the_outcome) {
  begin(one_agent);
  house_.processes->exit(0,
                         std::string("a\0\xff"
                                     "b",
                                     4));
  house_.settle();
  expect_end(run_state::completed);
  auto session = read_session::open(house_.database.options());
  const auto output = (*session)->find_output(run_id{"r-1"}, step_id{"ask"});
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->front().standard_output,
            std::string("a\0\xff"
                        "b",
                        4));
}

TEST_F(run_actor_test, a_time_out_asks_then_kills_then_fails_the_task) {
  begin(with_timeout);
  house_.advance(59'999ms);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  house_.advance(1ms);
  EXPECT_TRUE(house_.processes->at(0).terminated);
  house_.advance(4'999ms);
  EXPECT_FALSE(house_.processes->at(0).killed);
  house_.advance(1ms);
  EXPECT_TRUE(house_.processes->at(0).killed);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::task_timeout);
}

TEST_F(run_actor_test, a_process_that_ends_in_time_is_not_timed_out_later) {
  begin(with_timeout);
  house_.processes->exit(0);
  house_.advance(120'000ms);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, cancel_stops_the_tasks_and_ends_the_run_once_they_are_gone) {
  begin(three_agents);
  house_.processes->exit(0);
  house_.settle();
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  EXPECT_FALSE(house_.processes->at(0).terminated);
  EXPECT_TRUE(house_.processes->at(1).terminated);
  EXPECT_EQ(count("run.cancelled"), 0);
  house_.processes->exit(1, "", 143);
  house_.advance(5'000ms);  // the other one ignores SIGTERM
  EXPECT_TRUE(house_.processes->at(2).killed);
  house_.settle();
  expect_end(run_state::cancelled);
  const auto tasks = house_.tasks();
  EXPECT_EQ(tasks[0].state, task_state::completed);
  EXPECT_EQ(tasks[1].state, task_state::cancelled);
  EXPECT_EQ(tasks[2].state, task_state::cancelled);
}

TEST_F(run_actor_test, cancel_at_once_kills) {
  begin(one_agent);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, true});
  house_.settle();
  EXPECT_TRUE(house_.processes->at(0).killed);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  expect_end(run_state::cancelled);
}

TEST_F(run_actor_test, the_wall_clock_ends_the_run_as_failed) {
  begin(R"(
name = "long"
[limits]
wall_clock = "10m"
[[step]]
id = "ask"
agent = "a"
prompt = "x"
)");
  house_.advance(599'999ms);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  house_.advance(1ms);
  EXPECT_TRUE(house_.processes->at(0).terminated);
  house_.processes->exit(0, "", 143);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::run_timeout);
}

TEST_F(run_actor_test, a_run_that_is_on_its_way_to_disk_when_a_drain_begins_is_paused_by_it) {
  house_.start();
  caf::anon_send(house_.runs.get(), start_run{alone(one_agent), json_text{"{}"}, "", run_id{"r-1"}});
  caf::anon_send(house_.runs.get(), drain_runs{});
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::paused);
  EXPECT_EQ(house_.processes->count(), 0U);
}

TEST_F(run_actor_test, a_drain_lets_tasks_finish_and_then_interrupts_and_pauses) {
  begin(three_agents);
  caf::anon_send(house_.runs.get(), drain_runs{false});
  house_.settle();
  house_.processes->exit(0, "in time");
  house_.settle();
  house_.advance(5'000ms);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  EXPECT_TRUE(house_.processes->at(1).terminated);
  house_.processes->exit(1, "", 143);
  house_.processes->exit(2, "", 143);
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::paused);
  const auto tasks = house_.tasks();
  EXPECT_EQ(tasks[0].state, task_state::completed);
  EXPECT_EQ(tasks[1].state, task_state::interrupted);
  EXPECT_EQ(count("task.interrupted"), 2);
  EXPECT_EQ(count("run.paused"), 1);
}

TEST_F(run_actor_test, an_agent_that_dies_of_a_bug_is_an_interrupted_attempt_and_tried_again) {
  begin(one_agent);
  house_.kill(house_.agent_actors[0]);
  EXPECT_TRUE(house_.processes->at(0).killed);
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(count("task.interrupted"), 1);
  house_.processes->exit(1, "second try");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.tasks()[0].attempt, attempt_no{2});
}

TEST_F(run_actor_test, an_agent_that_always_dies_fails_its_task) {
  begin(one_agent);
  for (std::size_t i = 0; i < 3; ++i) {
    house_.kill(house_.agent_actors.at(i));
  }
  EXPECT_EQ(house_.processes->count(), 3U);
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::internal);
}

TEST_F(run_actor_test, a_run_whose_actor_dies_goes_on_from_its_rows) {
  begin(three_agents);
  house_.processes->exit(0, "kept");
  house_.settle();
  house_.kill(house_.run_actors[0]);
  EXPECT_TRUE(house_.processes->at(1).killed);  // nobody runs without its run
  ASSERT_EQ(house_.run_actors.size(), 2U);
  ASSERT_EQ(house_.processes->count(), 5U);  // b and c again, a not
  house_.processes->exit(3, "b");
  house_.processes->exit(4, "c");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().result.str(), R"({"ask":{"a":"kept","b":"b","c":"c"}})");
  EXPECT_EQ(count("task.interrupted"), 2);
}

TEST_F(run_actor_test, a_run_whose_actor_always_dies_is_left_as_it_stands_and_says_so) {
  begin(one_agent);
  for (std::size_t i = 0; i < 4; ++i) {
    house_.kill(house_.run_actors.at(i));
  }
  EXPECT_EQ(house_.run_actors.size(), 4U);
  ASSERT_TRUE(house_.stopped.has_value());
  EXPECT_THAT(house_.stopped->message, HasSubstr("died too often"));
  EXPECT_FALSE(house_.root_is_down);  // the others are not touched
}

TEST_F(run_actor_test, a_writer_that_dies_is_replaced_and_every_fact_arrives_once) {
  begin(three_agents);
  for (std::size_t i = 0; i < 3; ++i) {
    house_.processes->exit(i, "x");
    house_.kill(house_.writer.actor.get());
    house_.advance(2'000ms);
  }
  house_.advance(2'000ms);
  expect_end(run_state::completed);
  EXPECT_EQ(count("task.completed"), 3);
}

TEST_F(run_actor_test, a_reader_or_hub_that_dies_is_replaced_and_no_event_is_lost) {
  begin(three_agents);
  house_.kill(house_.hub.get());
  house_.advance(100ms);
  house_.processes->exit(0, "x");
  house_.settle();
  house_.kill(house_.reader.get());
  house_.processes->exit(1, "x");
  house_.advance(100ms);
  house_.kill(house_.hub.get());
  house_.processes->exit(2, "x");
  house_.settle();
  house_.advance(1'000ms);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, a_run_asks_again_while_all_connections_for_reading_are_in_use) {
  house_.start();
  std::vector<read_loan> loans;
  while (auto loan = house_.sessions->borrow(milliseconds{0})) {
    loans.push_back(*std::move(loan));
  }
  ASSERT_TRUE(house_.submit(one_agent));
  house_.advance(1'000ms);
  EXPECT_EQ(house_.processes->count(), 0U) << "its rows were not read";
  loans.clear();
  house_.advance(1'000ms);
  ASSERT_EQ(house_.processes->count(), 1U);
  house_.processes->exit(0, "x");
  house_.advance(1'000ms);
  EXPECT_EQ(house_.view().state, run_state::completed);
}

TEST_F(run_actor_test, a_run_supervisor_that_dies_takes_its_runs_and_takes_them_up_again) {
  begin(one_agent);
  house_.kill(house_.runs.get());
  EXPECT_TRUE(house_.processes->at(0).killed);
  ASSERT_EQ(house_.run_actors.size(), 2U);
  ASSERT_EQ(house_.processes->count(), 2U);
  const auto again = house_.submit(one_agent);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->resumed);
  EXPECT_EQ(house_.run_actors.size(), 2U) << "it goes on already";
  house_.processes->exit(1, "after");
  house_.settle();
  house_.advance(100ms);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, a_run_supervisor_leaves_ended_runs_and_those_of_another_owner_alone) {
  begin(one_agent);
  house_.processes->exit(0, "ok");
  house_.settle();
  house_.kill(house_.runs.get());
  EXPECT_EQ(house_.run_actors.size(), 1U);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, a_cancel_is_told_to_the_next_life_of_the_run) {
  begin(one_agent);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  house_.kill(house_.run_actors[0]);
  house_.advance(100ms);
  expect_end(run_state::cancelled);
}

TEST_F(run_actor_test, a_cancel_under_way_outlives_the_run_supervisor) {
  begin(one_agent);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  ASSERT_TRUE(house_.processes->at(0).terminated);
  house_.kill(house_.runs.get());
  house_.advance(100ms);
  expect_end(run_state::cancelled);
  EXPECT_EQ(house_.processes->count(), 1U) << "nothing was begun anew";
}

TEST_F(run_actor_test, a_cancel_that_a_dying_run_supervisor_has_not_read_is_not_lost) {
  begin(one_agent);
  house_.undertaken.cancel({run_id{"r-1"}, true});  // as the node does before it sends the message
  house_.undertaken.cancel({run_id{"r-2"}, true});  // which nobody carries out
  house_.kill(house_.runs.get());
  house_.advance(100ms);
  expect_end(run_state::cancelled);
  EXPECT_FALSE(house_.undertaken.cancelled(run_id{"r-1"})) << "it has ended";
  EXPECT_FALSE(house_.undertaken.cancelled(run_id{"r-2"})) << "it is not ours";
}

TEST_F(run_actor_test, a_cancel_that_comes_while_runs_are_taken_up_is_not_lost) {
  begin(one_agent);
  caf::anon_send_exit(house_.runs.get(), caf::exit_reason::kill);
  const auto dead = house_.runs.get();
  while (house_.runs.get() == dead && house_.scheduler().try_run_once()) {
  }
  ASSERT_NE(house_.runs.get(), dead);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});  // before it has read the rows
  house_.settle();
  house_.advance(100ms);
  expect_end(run_state::cancelled);
}

TEST_F(run_actor_test, a_cancel_of_a_run_that_is_over_leaves_nothing) {
  begin(one_agent);
  house_.processes->exit(0);
  house_.settle();
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_FALSE(house_.undertaken.cancelled(run_id{"r-1"}));
  EXPECT_THAT(house_.undertaken.to_carry_out(), IsEmpty());
}

// The rows say `paused` until its first fact is committed.
TEST_F(run_actor_test, a_run_that_was_accepted_again_goes_on_although_the_run_supervisor_dies_before_its_first_fact) {
  begin(one_agent);
  caf::anon_send(house_.runs.get(), drain_runs{true});
  house_.settle();
  house_.advance(100ms);
  ASSERT_EQ(house_.view().state, run_state::paused);
  house_.kill(house_.runs.get());  // the next life takes runs again
  ASSERT_EQ(house_.view().state, run_state::paused);
  const auto loaded = parse_workflow(one_agent, "test.toml", "");
  caf::scoped_actor self{*house_.system};
  auto asked =
      self->request(house_.runs.get(), caf::infinite, start_run{loaded.flow, json_text{"{}"}, "", run_id{"r-1"}});
  while (self->mailbox().empty() && house_.scheduler().try_run_once()) {
  }
  asked.receive([](const start_reply& reply) { EXPECT_TRUE(reply->resumed); },
                [](const caf::error&) { ADD_FAILURE(); });
  ASSERT_EQ(house_.view().state, run_state::paused) << "it has committed nothing yet";
  house_.kill(house_.runs.get());
  house_.advance(100ms);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1);
  house_.advance(100ms);
  expect_end(run_state::completed);
}

// It is down, yet its start is not: the task has no attempt that could be interrupted.
TEST_F(run_actor_test, an_agent_that_dies_before_its_start_is_recorded_is_started_anew) {
  house_.start();
  house_.processes->hold_starts = true;
  ASSERT_TRUE(house_.submit(one_agent));
  house_.listen();
  house_.kill(house_.agent_actors.at(0));
  house_.processes->hold_starts = false;
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->tell_start(1);
  house_.processes->exit(1, "ok");
  house_.advance(100ms);
  expect_end(run_state::completed);
}

// Between any two messages: before its output is with the writer, and after its end is committed and not yet told.
TEST_F(run_actor_test, an_agent_may_die_at_any_moment_of_its_end) {
  bool over = false;
  for (int moment = 0; !over; ++moment) {
    SCOPED_TRACE("after " + std::to_string(moment) + " steps");
    house world;
    world.start();
    ASSERT_TRUE(world.submit(one_agent));
    world.listen();
    world.processes->exit(0, "said");
    for (int step = 0; step < moment && !over; ++step) {
      over = !world.scheduler().try_run_once();
    }
    world.kill(world.agent_actors[0]);
    if (world.processes->count() == 2) {
      world.processes->exit(1, "said");
    }
    world.advance(50ms);
    EXPECT_EQ(world.view().state, run_state::completed);
    EXPECT_FALSE(world.stopped);
    const auto kinds = world.kinds();
    EXPECT_EQ(std::ranges::count(kinds, "task.completed"), 1);
    EXPECT_THAT(world.seqs_are_gapless(), IsEmpty());
  }
}

// What an agent of the former life had told the writer must not stand in the way of the next one's.
TEST_F(run_actor_test, a_later_life_begins_behind_what_the_one_before_had_told) {
  begin(three_agents);
  house_.processes->exit(0, "kept");  // its output is with the writer when the run dies
  caf::anon_send_exit(house_.run_actors[0], caf::exit_reason::kill);
  house_.settle();
  ASSERT_EQ(house_.run_actors.size(), 2U);
  EXPECT_EQ(count("run.resumed"), 1);
  for (std::size_t i = 3; i < house_.processes->count(); ++i) {
    house_.processes->exit(i, "again");
  }
  house_.advance(100ms);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, an_exception_in_a_handler_is_logged_and_counted_and_ends_that_actor_alone) {
  begin(one_agent);
  const auto before = actor_bugs();
  caf::anon_send(caf::actor_cast<caf::actor>(house_.run_actors[0]), provoke_bug{"on purpose"});
  house_.settle();
  EXPECT_EQ(actor_bugs(), before + 1);
  ASSERT_EQ(house_.run_actors.size(), 2U);
  house_.processes->exit(1, "ok");
  house_.advance(100ms);
  expect_end(run_state::completed);
}

TEST_F(run_actor_test, an_actor_that_dies_beyond_the_intensity_takes_the_node_down) {
  begin(one_agent);
  for (int i = 0; i < 4; ++i) {
    house_.kill(house_.hub.get());
    house_.advance(100ms);
  }
  house_.advance(60'000ms);
  EXPECT_TRUE(house_.root_is_down);
}

TEST_F(run_actor_test, a_lost_custodian_is_an_interruption_and_the_task_is_tried_again) {
  begin(one_agent);
  house_.processes->lose_custodian(0);
  house_.settle();
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1, "ok");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(count("task.interrupted"), 1);
}

TEST_F(run_actor_test, the_id_of_a_finished_run_starts_nothing) {
  begin(one_agent);
  house_.processes->exit(0, "ok");
  house_.settle();
  const auto again = house_.submit(one_agent);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->already_finished);
  EXPECT_EQ(house_.processes->count(), 1U);
  const auto other = house_.submit(three_agents);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, error_code::idempotency_violation);
}

TEST_F(run_actor_test, a_listener_need_not_listen_to_everything) {
  begin(one_agent);
  event_listener_deps deaf;
  deaf.hub = house_.hub;
  deaf.run = run_id{"r-1"};
  const auto listener = spawn_event_listener(*house_.system, std::move(deaf), placement::shared);
  house_.processes->at(0).listener.progress("half", 4);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.progress.size(), 1U);
}

TEST_F(run_actor_test, a_late_subscriber_gets_everything_once) {
  begin(three_agents);
  house_.processes->exit(0, "x");
  house_.settle();
  house_.events.clear();
  house_.listen();  // beside the first listener, both into one list: each event twice from here on
  house_.processes->exit(1, "x");
  house_.processes->exit(2, "x");
  house_.settle();
  const auto run = house_.view();
  std::map<std::int64_t, int> seen;
  for (const auto& fact : house_.events) {
    ++seen[fact.seq.value()];
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(run.last_seq.value()));
  EXPECT_EQ(seen[1], 1);
  EXPECT_EQ(seen[run.last_seq.value()], 2);
}

TEST(run_actor_storage_test, a_failed_commit_is_asked_again_on_a_fresh_connection) {
  fault_vfs disk{"run_actor_commit_fault"};
  house house{disk.name()};
  house.start();
  ASSERT_TRUE(house.submit(one_agent).has_value());
  house.listen();
  disk.arm({fault_vfs::operation::write, 1, SQLITE_IOERR_WRITE, false, "-wal"});
  house.processes->exit(0, "kept");
  house.settle();
  house.advance(5'000ms);
  EXPECT_TRUE(disk.heal());
  EXPECT_EQ(house.view().state, run_state::completed);
  EXPECT_THAT(house.seqs_are_gapless(), IsEmpty());
}

TEST(run_actor_storage_test, a_disk_that_stays_full_stops_the_run_and_nothing_else) {
  fault_vfs disk{"run_actor_full_disk"};
  house house{disk.name()};
  house.start();
  ASSERT_TRUE(house.submit(one_agent).has_value());
  house.listen();
  disk.arm({fault_vfs::operation::write, 1, SQLITE_FULL, true, "-wal"});
  house.processes->exit(0, "kept");
  house.settle();
  for (int i = 0; i < 100 && !house.stopped; ++i) {
    house.advance(1'000ms);
  }
  EXPECT_TRUE(disk.heal());
  ASSERT_TRUE(house.stopped.has_value());
  EXPECT_EQ(house.stopped->code, error_code::storage_full);
  EXPECT_EQ(house.view().state, run_state::running);
  EXPECT_FALSE(house.root_is_down);

  // With room on the disk it goes on in the same node, and what the agent had printed is the writer's to be told again.
  const auto again = house.submit(one_agent);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->resumed);
  house.settle();
  house.processes->exit(house.processes->count() - 1, "kept");
  house.advance(1'000ms);
  EXPECT_EQ(house.view().state, run_state::completed);
}

}  // namespace
}  // namespace troupe
