#include "storage/write_session.hpp"

#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace troupe {
namespace {

class write_session_test : public testing::Test {
 protected:
  void expect_sound() const {
    const auto findings = check_database(place.options());
    ASSERT_TRUE(findings) << findings.error().message;
    for (const auto& finding : *findings) {
      ADD_FAILURE() << finding.rule << ": " << finding.text;
    }
  }

  std::vector<std::string> kinds_of(const story& told) const {
    auto reader = read_session::open(place.options());
    EXPECT_TRUE(reader);
    const auto events = (*reader)->list_events(told.run, event_seq{0}, 10'000);
    EXPECT_TRUE(events);
    std::vector<std::string> kinds;
    for (const auto& event : *events) {
      kinds.emplace_back(to_string(event.kind));
    }
    return kinds;
  }

  task_view task_of(const story& told, const task_id& which) const {
    auto reader = read_session::open(place.options());
    EXPECT_TRUE(reader);
    const auto tasks = (*reader)->list_tasks(told.run);
    EXPECT_TRUE(tasks);
    for (const auto& task : *tasks) {
      if (task.task == which) {
        return task;
      }
    }
    ADD_FAILURE() << "no task " << which;
    return {};
  }

  run_view run_of_story(const story& told) const {
    auto reader = read_session::open(place.options());
    EXPECT_TRUE(reader);
    auto run = (*reader)->find_run(told.run);
    EXPECT_TRUE(run);
    return *std::move(run);
  }

  temporary_database place;
};

// --- Invariant 1 -----------------------------------------------------------------------------------------------------

TEST_F(write_session_test, fails_a_bad_command_alone) {
  auto session = writer_on(place.options());
  story good{"r-good"};
  story bad{"r-bad"};
  ASSERT_TRUE(session->begin());
  EXPECT_TRUE(session->apply(good.created()));
  EXPECT_EQ(code_of(session->apply(bad.started(bad.task("survey", "claude")))), error_code::not_found);
  EXPECT_TRUE(session->apply(good.started(good.task("survey", "claude"))));
  EXPECT_EQ(code_of(session->apply(good.started(good.task("survey", "nobody")))), error_code::not_found);
  EXPECT_EQ(code_of(session->apply(good.finished(good.task("survey", "claude"), "1", 7))), error_code::internal);
  EXPECT_TRUE(session->apply(good.finished(good.task("survey", "claude"), "1")));
  ASSERT_TRUE(session->commit());
  EXPECT_EQ(kinds_of(good), (std::vector<std::string>{"run.started", "task.queued", "task.started", "task.completed"}));
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM runs"), 1);
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM write_keys"), 3);
  expect_sound();
}

TEST_F(write_session_test, leaves_nothing_of_a_command_that_fails_half_way) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created());
  must_write(*session, told.started(told.task("survey", "claude")));
  must_write(*session, told.finished(told.task("survey", "claude"), "1"));
  const auto before = all_rows(place.path());
  // Verdict, changes and superstep are written before the front turns out to be impossible.
  auto impossible = told.committed(
      1, R"({"findings":["x"]})", {{"a", "claude"}, {"b", "claude"}}, {story::alone("survey", "claude", "1")});
  impossible.next_front[1].order = 0;
  EXPECT_EQ(code_of(write_one(*session, impossible)), error_code::internal);
  EXPECT_EQ(all_rows(place.path()), before);
  impossible.next_front[1].order = 1;
  EXPECT_TRUE(write_one(*session, impossible)) << "the key of a refused command must be free again";
  expect_sound();
}

TEST_F(write_session_test, refuses_what_a_constraint_refuses_and_goes_on) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  auto broken_json = told.created();
  broken_json.inputs = json_text{"{not json"};
  ASSERT_TRUE(session->begin());
  EXPECT_FALSE(session->apply(broken_json));
  EXPECT_FALSE(session->broken());
  EXPECT_TRUE(session->apply(told.created()));
  ASSERT_TRUE(session->commit());
  EXPECT_EQ(run_of_story(told).state, run_state::running);
}

TEST_F(write_session_test, rolls_back_what_was_not_committed) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto before = all_rows(place.path());
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(told.created()));
  session->rollback();
  EXPECT_EQ(all_rows(place.path()), before);
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(told.created()));
  session.reset();  // dies with a transaction open
  EXPECT_EQ(all_rows(place.path()), before);
}

TEST_F(write_session_test, shows_nothing_to_readers_before_the_commit) {
  auto session = writer_on(place.options());
  auto reader = read_session::open(place.options());
  ASSERT_TRUE(reader);
  story told{"r-1"};
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(told.created()));
  EXPECT_EQ(code_of((*reader)->find_run(told.run)), error_code::not_found);
  ASSERT_TRUE(session->commit());
  EXPECT_TRUE((*reader)->find_run(told.run));
}

TEST_F(write_session_test, wants_a_transaction) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  EXPECT_EQ(code_of(session->apply(told.created())), error_code::internal);
  EXPECT_EQ(code_of(session->commit()), error_code::internal);
  ASSERT_TRUE(session->begin());
  EXPECT_EQ(code_of(session->begin()), error_code::internal);
  EXPECT_TRUE(session->commit());
}

// --- Invariant 2 -----------------------------------------------------------------------------------------------------

TEST_F(write_session_test, numbers_events_per_run_without_gaps) {
  auto session = writer_on(place.options());
  story first{"r-1"};
  story second{"r-2"};
  ASSERT_TRUE(session->begin());
  const auto one = session->apply(first.created());
  ASSERT_FALSE(session->apply(first.finished(first.task("survey", "claude"), "1", 5)));
  const auto two = session->apply(second.created());
  const auto three = session->apply(first.started(first.task("survey", "claude")));
  ASSERT_TRUE(session->commit());
  ASSERT_TRUE(one && two && three);
  EXPECT_EQ(one->receipt.last, event_seq{2});
  EXPECT_EQ(two->receipt.last, event_seq{2});
  EXPECT_EQ(three->receipt.last, event_seq{3});
  ASSERT_EQ(three->events.size(), 1U);
  EXPECT_EQ(three->events.front().seq, event_seq{3});
  expect_sound();
}

TEST_F(write_session_test, answers_output_with_the_newest_event_although_it_tells_none) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created());
  must_write(*session, told.started(told.task("survey", "claude")));
  const auto written = must_write(*session, told.printed(told.task("survey", "claude"), "text"));
  EXPECT_EQ(written.receipt.last, event_seq{3});
  EXPECT_TRUE(written.events.empty());
}

// --- Invariant 3 -----------------------------------------------------------------------------------------------------

// Every kind of command once, in an order in which each is legal.
std::vector<write_command> one_of_each(story& told) {
  return {
      told.created(),
      told.reserved(told.task("survey", "claude")),
      told.started(told.task("survey", "claude")),
      told.ended(run_state::paused, 3),
      told.resumed(4),
      told.started(told.task("survey", "claude"), 2),
      told.printed(told.task("survey", "claude"), "text", 2),
      told.finished(told.task("survey", "claude"), "1", 2),
      told.asked("merge"),
      told.asked("late"),
      told.decided("merge", "ann"),
      told.expired("late"),
      told.committed(1, R"({"findings":["x"]})", {}, {story::alone("survey", "claude", "1")}),
  };
}

// The same command with something else in it.
write_command with_other_content(write_command command) {
  struct change {
    void operator()(create_run& told) const { told.inputs = json_text{R"({"topic":"other"})"}; }
    void operator()(start_attempt& told) const { ++told.pid; }
    void operator()(record_output& told) const { told.standard_error = std::make_shared<const std::string>("other"); }
    void operator()(finish_attempt& told) const { told.outcome.value = json_text{"2"}; }
    void operator()(commit_superstep& told) const { told.verdicts[0].reached.winner = json_text{"2"}; }
    void operator()(end_run& told) const { told.end.why->message = "other"; }
    void operator()(open_gate& told) const { told.gate.prompt = "Go on now?"; }
    void operator()(decide_gate& told) const { told.decision.choice = gate_choice::rejected; }
    void operator()(resume_run&) const {}  // these have no content but their key
    void operator()(expire_gate&) const {}
    void operator()(reserve_budget&) const {}
  };
  std::visit(change{}, command);
  return command;
}

timestamp& time_of(decide_gate& told) { return told.decision.at; }

template <class Command>
timestamp& time_of(Command& told) {
  return told.at;
}

write_command at_another_time(write_command command) {
  std::visit([](auto& told) { time_of(told) += std::chrono::hours{1}; }, command);
  return command;
}

TEST_F(write_session_test, answers_a_repeat_as_the_first_was) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto commands = one_of_each(told);
  std::vector<write_receipt> receipts;
  for (const auto& command : commands) {
    receipts.push_back(must_write(*session, command).receipt);
    EXPECT_FALSE(receipts.back().repeated) << kind_of(command);
  }
  const auto before = all_rows(place.path());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    for (const auto& again : {commands[i], at_another_time(commands[i])}) {
      const auto repeated = must_write(*session, again);
      EXPECT_TRUE(repeated.receipt.repeated) << kind_of(again);
      EXPECT_EQ(repeated.receipt.last, receipts[i].last) << kind_of(again);
      EXPECT_TRUE(repeated.events.empty()) << kind_of(again);
    }
  }
  EXPECT_EQ(all_rows(place.path()), before);
  expect_sound();
}

TEST_F(write_session_test, answers_a_repeat_within_one_transaction) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto command = told.created();
  ASSERT_TRUE(session->begin());
  const auto first = session->apply(command);
  const auto second = session->apply(command);
  ASSERT_TRUE(session->commit());
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->receipt.repeated);
  EXPECT_TRUE(second->receipt.repeated);
  EXPECT_EQ(second->receipt.last, first->receipt.last);
  expect_sound();
}

TEST_F(write_session_test, refuses_other_content_under_a_key_that_is_taken) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto commands = one_of_each(told);
  for (const auto& command : commands) {
    must_write(*session, command);
    if (std::holds_alternative<resume_run>(command) || std::holds_alternative<expire_gate>(command) ||
        std::holds_alternative<reserve_budget>(command)) {
      continue;
    }
    const auto before = all_rows(place.path());
    EXPECT_EQ(code_of(write_one(*session, with_other_content(command))), error_code::idempotency_violation)
        << kind_of(command);
    EXPECT_EQ(all_rows(place.path()), before) << kind_of(command);
  }
  expect_sound();
}

TEST_F(write_session_test, takes_a_run_again_whatever_its_configuration_has_become) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto first = told.created();
  must_write(*session, first);
  auto again = first;
  again.config_hash = "sha256:newer";
  again.config_source = "config_version = 2\n";
  EXPECT_TRUE(must_write(*session, again).receipt.repeated);
  auto other_workflow = first;
  other_workflow.workflow_hash = "sha256:other";
  EXPECT_EQ(code_of(write_one(*session, other_workflow)), error_code::idempotency_violation);
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM configs"), 1);
}

TEST_F(write_session_test, commits_each_of_many_facts_once_however_often_they_are_delivered) {
  constexpr int runs = 20;
  constexpr int steps = 10;
  auto session = writer_on(place.options());
  std::vector<write_command> facts;
  for (int r = 0; r < runs; ++r) {
    story told{"r-" + std::to_string(r)};
    std::vector<std::pair<std::string, std::string>> front;
    for (int s = 0; s < steps; ++s) {
      front.emplace_back("s" + std::to_string(s), "claude");
    }
    facts.emplace_back(told.created(front));
    for (const auto& [step, agent] : front) {
      facts.emplace_back(told.started(told.task(step, agent)));
    }
  }
  int fresh = 0;
  for (int delivery = 0; delivery < 3; ++delivery) {
    ASSERT_TRUE(session->begin());
    for (const auto& fact : facts) {
      const auto written = session->apply(fact);
      ASSERT_TRUE(written);
      fresh += written->receipt.repeated ? 0 : 1;
    }
    ASSERT_TRUE(session->commit());
  }
  EXPECT_EQ(fresh, runs * (steps + 1));
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM attempts"), runs * steps);
  expect_sound();
}

TEST_F(write_session_test, refuses_to_create_a_run_that_no_command_made) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto command = told.created();
  must_write(*session, command);
  session.reset();
  SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
  file.exec("DELETE FROM write_keys");
  session = writer_on(place.options());
  EXPECT_EQ(code_of(write_one(*session, command)), error_code::duplicate_id);
}

// --- Invariant 4, and the state machines -----------------------------------------------------------------------------

TEST_F(write_session_test, absorbs_everything_in_final_states) {
  for (const auto end : {run_state::completed, run_state::failed, run_state::cancelled}) {
    auto session = writer_on(place.options());
    story told{"r-" + std::string{to_string(end)}};
    must_write(*session, told.created({{"survey", "claude"}, {"survey", "gpt"}}));
    must_write(*session, told.started(told.task("survey", "claude")));
    const auto last = must_write(*session, told.ended(end, 4)).receipt.last;
    const auto before = all_rows(place.path());
    const std::vector<write_command> late{
        told.started(told.task("survey", "gpt")),
        told.printed(told.task("survey", "claude"), "late"),
        told.finished(told.task("survey", "claude"), "1"),
        told.committed(1, R"({"findings":[]})"),
        told.ended(run_state::cancelled, last.value()),
        told.resumed(last.value()),
    };
    for (const auto& command : late) {
      EXPECT_EQ(code_of(write_one(*session, command)), error_code::cancelled) << kind_of(command);
    }
    EXPECT_EQ(all_rows(place.path()), before);
  }
  expect_sound();
}

TEST_F(write_session_test, refuses_moves_that_are_not_legal) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  const auto refuse = [&](const write_command& command, const char* when) {
    const auto before = all_rows(place.path());
    EXPECT_EQ(code_of(write_one(*session, command)), error_code::internal) << kind_of(command) << ' ' << when;
    EXPECT_EQ(all_rows(place.path()), before) << kind_of(command) << ' ' << when;
  };
  refuse(told.printed(task, "x"), "before the start");
  refuse(told.finished(task, "1"), "before the start");
  refuse(told.interrupted(task), "before the start");
  refuse(told.started(task, 2), "before attempt 1");
  refuse(told.committed(1, "{}"), "with a task queued");
  refuse(told.committed(2, "{}"), "of a superstep that is not open");
  refuse(told.resumed(99), "with events that were never committed");
  refuse(told.ended(run_state::running, 2), "into a state that is no end");
  must_write(*session, told.started(task));
  auto nonsense = told.finished(task, "1");
  nonsense.outcome.state = task_state::validating;
  refuse(nonsense, "with an outcome that is none");
  must_write(*session, told.printed(task, "x"));
  must_write(*session, told.finished(task, "1"));
  refuse(told.started(task, 2), "after completion");
  refuse(told.failed(task, error_code::agent_exit, 2), "after completion");
  auto neither = told.committed(1, "{}");
  neither.end.reset();
  refuse(neither, "without a front or an end");
  auto both = told.committed(1, "{}", {{"plan", "claude"}});
  both.end = run_end{};
  refuse(both, "with both");
  refuse(told.committed(1, "[]"), "with a state that is no object");
  auto elsewhere = told.committed(1, "{}", {{"plan", "claude"}});
  elsewhere.next_front[0].superstep = superstep_no{5};
  refuse(elsewhere, "with a front of another superstep");
  expect_sound();
}

TEST_F(write_session_test, refuses_a_result_from_a_superseded_attempt) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  must_write(*session, told.started(task));
  must_write(*session, told.interrupted(task));
  EXPECT_EQ(code_of(write_one(*session, told.printed(task, "late"))), error_code::cancelled) << "it was interrupted";
  must_write(*session, told.started(task, 2));
  const auto before = all_rows(place.path());
  EXPECT_EQ(code_of(write_one(*session, told.printed(task, "late"))), error_code::cancelled);
  EXPECT_EQ(code_of(write_one(*session, told.failed(task, error_code::agent_exit))), error_code::idempotency_violation)
      << "attempt 1 was told to be interrupted";
  EXPECT_EQ(all_rows(place.path()), before);
  must_write(*session, told.finished(task, "1", 2));
  EXPECT_EQ(task_of(told, task).attempt, attempt_no{2});
  expect_sound();
}

TEST_F(write_session_test, lets_a_task_fail_that_never_started) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  const auto written = must_write(*session, told.failed(task, error_code::agent_not_found));
  ASSERT_EQ(written.events.size(), 1U);
  EXPECT_EQ(written.events[0].data.str(),
            R"({"code":"AGENT_NOT_FOUND","hint":"look again","message":"it did not work"})");
  const auto view = task_of(told, task);
  EXPECT_EQ(view.state, task_state::failed);
  EXPECT_EQ(view.attempt, attempt_no{1});
  EXPECT_EQ(view.started_at, std::nullopt);
  EXPECT_EQ(view.why->code, error_code::agent_not_found);
  expect_sound();
}

TEST_F(write_session_test, requeues_what_ran_when_a_run_is_resumed) {
  auto session = writer_on(place.options(), 1);
  story told{"r-1"};
  must_write(*session, told.created({{"a", "x"}, {"b", "x"}, {"c", "x"}, {"d", "x"}, {"e", "x"}}));
  must_write(*session, told.started(told.task("a", "x")));
  must_write(*session, told.finished(told.task("a", "x"), "1"));
  must_write(*session, told.started(told.task("b", "x")));
  must_write(*session, told.started(told.task("c", "x")));
  must_write(*session, told.printed(told.task("c", "x"), "half"));
  must_write(*session, told.started(told.task("d", "x")));
  must_write(*session, told.interrupted(told.task("d", "x")));
  session = writer_on(place.options(), 2);
  const auto written = must_write(*session, told.resumed(12));
  std::vector<std::string> kinds;
  for (const auto& event : written.events) {
    kinds.push_back(std::string{to_string(event.kind)} + ' ' + (event.step ? event.step->str() : ""));
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"task.interrupted b", "task.interrupted c", "run.resumed "}));
  EXPECT_EQ(written.events.back().data.str(), R"({"epoch":2,"from":"running","interrupted":2})");
  EXPECT_EQ(task_of(told, told.task("a", "x")).state, task_state::completed);
  for (const std::string step : {"b", "c", "d", "e"}) {
    EXPECT_EQ(task_of(told, told.task(step, "x")).state, task_state::queued) << step;
  }
  must_write(*session, told.started(told.task("b", "x"), 2));
  must_write(*session, told.started(told.task("e", "x"), 1));
  expect_sound();
}

TEST_F(write_session_test, pauses_and_goes_on_again_and_again) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created());
  must_write(*session, told.ended(run_state::paused, 2, error_code::budget_exceeded));
  EXPECT_EQ(run_of_story(told).state, run_state::paused);
  EXPECT_EQ(run_of_story(told).why->code, error_code::budget_exceeded);
  must_write(*session, told.resumed(3));
  EXPECT_EQ(run_of_story(told).state, run_state::running);
  EXPECT_EQ(run_of_story(told).why, std::nullopt);
  must_write(*session, told.ended(run_state::paused, 4));
  EXPECT_EQ(code_of(write_one(*session, told.ended(run_state::paused, 5))), error_code::internal);
  must_write(*session, told.resumed(5));
  EXPECT_EQ(kinds_of(told),
            (std::vector<std::string>{
                "run.started", "task.queued", "run.paused", "run.resumed", "run.paused", "run.resumed"}));
  expect_sound();
}

TEST_F(write_session_test, cancels_what_is_not_final_when_a_run_ends) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created({{"a", "x"}, {"b", "x"}, {"c", "x"}}));
  must_write(*session, told.started(told.task("a", "x")));
  must_write(*session, told.finished(told.task("a", "x"), "1"));
  must_write(*session, told.started(told.task("b", "x")));
  const auto written = must_write(*session, told.ended(run_state::failed, 7, error_code::run_timeout));
  ASSERT_EQ(written.events.size(), 3U);
  EXPECT_EQ(written.events[0].task, told.task("b", "x"));
  EXPECT_EQ(written.events[0].kind, event_kind::task_cancelled);
  EXPECT_EQ(written.events[0].data.str(), R"({"code":"RUN_TIMEOUT","message":"asked for"})");
  EXPECT_EQ(written.events[1].task, told.task("c", "x"));
  EXPECT_EQ(written.events[1].attempt, std::nullopt);
  EXPECT_EQ(written.events[2].kind, event_kind::run_failed);
  EXPECT_EQ(task_of(told, told.task("a", "x")).state, task_state::completed);
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM attempts WHERE finished_at IS NULL"), 0);
  expect_sound();
}

TEST_F(write_session_test, ends_two_runs_of_one_subject_in_one_millisecond) {
  auto session = writer_on(place.options());
  ASSERT_TRUE(session->begin());
  for (int i = 0; i < 5; ++i) {
    story told{"r-" + std::to_string(i)};
    EXPECT_TRUE(session->apply(told.created()));
    EXPECT_TRUE(session->apply(told.failed(told.task("survey", "claude"), error_code::agent_exit)));
    auto last = told.committed(1, "{}", {}, {story::alone("survey", "claude", "1")});
    last.at = at_second(100);
    EXPECT_TRUE(session->apply(last));
  }
  ASSERT_TRUE(session->commit());
  EXPECT_EQ(count_of(place.path(), "SELECT count(DISTINCT run_timestamp) FROM consensus_runs"), 5);
  EXPECT_EQ(count_of(place.path(), "SELECT max(run_timestamp) - min(run_timestamp) FROM consensus_runs"), 4);
}

// --- Invariant 5: faults ---------------------------------------------------------------------------------------------

class write_session_fault : public write_session_test {
 protected:
  storage_options failing() const {
    auto options = place.options();
    options.vfs = disk.name();
    options.wal_autocheckpoint = 0;  // so that the n-th write is a write of the log
    return options;
  }

  fault_vfs disk{"write_session_fault"};
};

TEST_F(write_session_fault, writes_nothing_more_after_a_failed_commit) {
  auto session = writer_on(failing());
  story told{"r-1"};
  must_write(*session, told.created());
  const auto start = told.started(told.task("survey", "claude"));
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(start));
  disk.arm({fault_vfs::operation::sync, 1, SQLITE_IOERR_FSYNC, false, "-wal"});
  const auto committed = session->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, error_code::storage_unavailable);
  EXPECT_NE(committed.error().message.find("1034"), std::string::npos) << committed.error().message;
  EXPECT_TRUE(session->broken());
  EXPECT_EQ(code_of(session->begin()), error_code::storage_unavailable);
  EXPECT_EQ(code_of(session->apply(start)), error_code::storage_unavailable);
  EXPECT_EQ(code_of(session->commit()), error_code::storage_unavailable);
  session.reset();

  session = writer_on(failing());
  must_write(*session, start);  // fresh or repeated: the sender asks again, and then it is there once
  EXPECT_EQ(kinds_of(told), (std::vector<std::string>{"run.started", "task.queued", "task.started"}));
  session.reset();
  expect_sound();
}

TEST_F(write_session_fault, loses_the_whole_batch_with_its_commit) {
  auto session = writer_on(failing());
  story first{"r-1"};
  story second{"r-2"};
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(first.created()));
  ASSERT_TRUE(session->apply(second.created()));
  disk.arm({fault_vfs::operation::write, 2, SQLITE_FULL, true, "-wal"});
  const auto committed = session->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, error_code::storage_full);
  disk.heal();
  session.reset();
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM runs"), 0);
  session = writer_on(failing());
  must_write(*session, first.created());
  expect_sound();
}

TEST_F(write_session_fault, breaks_on_an_error_of_the_disk_in_the_middle) {
  auto options = failing();
  options.cache_kib = 10;  // so small that pages spill to the log before the commit
  auto session = writer_on(options);
  story told{"r-1"};
  must_write(*session, told.created());
  must_write(*session, told.started(told.task("survey", "claude")));
  disk.arm({fault_vfs::operation::write, 1, SQLITE_IOERR_WRITE, true, "-wal"});
  ASSERT_TRUE(session->begin());
  const auto written = session->apply(told.printed(told.task("survey", "claude"), std::string(1 << 20, 'x')));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, error_code::storage_unavailable);
  EXPECT_TRUE(session->broken());
  EXPECT_FALSE(session->commit());
  disk.heal();
  session.reset();
  session = writer_on(options);
  EXPECT_EQ(task_of(told, told.task("survey", "claude")).state, task_state::running);
  session.reset();
  expect_sound();
}

// A commit is durable before it checkpoints: what fails then is not the commit's failure, and is tried again by the next.
TEST_F(write_session_fault, acknowledges_a_commit_whose_checkpoint_fails) {
  auto options = failing();
  options.wal_autocheckpoint = 1;
  auto session = writer_on(options);
  for (const auto kind : {fault_vfs::operation::write, fault_vfs::operation::sync, fault_vfs::operation::file_size}) {
    story next{"r-" + std::string{to_string(kind)}};
    disk.arm({kind, 1, 0, true, "troupe.db"});
    must_write(*session, next.created());
    EXPECT_TRUE(disk.heal()) << to_string(kind) << " was not part of a checkpoint";
    EXPECT_FALSE(session->broken());
    must_write(*session, next.started(next.task("survey", "claude")));
    EXPECT_EQ(kinds_of(next), (std::vector<std::string>{"run.started", "task.queued", "task.started"}));
  }
  session.reset();
  expect_sound();
}

TEST_F(write_session_test, waits_its_turn_when_another_program_writes) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  {
    SQLite::Database other{place.path().string(), SQLite::OPEN_READWRITE};
    SQLite::Transaction held{other, SQLite::TransactionBehavior::IMMEDIATE};
    EXPECT_EQ(code_of(session->begin()), error_code::storage_busy);
    EXPECT_FALSE(session->broken());
  }
  must_write(*session, told.created());
}

TEST_F(write_session_test, never_writes_again_when_another_owner_has_come) {
  auto session = writer_on(place.options(), 1);
  story told{"r-1"};
  must_write(*session, told.created());
  {
    SQLite::Database other{place.path().string(), SQLite::OPEN_READWRITE};
    other.exec("INSERT INTO lease VALUES (1, 2, 4711, 'elsewhere', 0)");
  }
  EXPECT_EQ(code_of(session->begin()), error_code::stale_epoch);
  EXPECT_EQ(code_of(session->begin()), error_code::stale_epoch);
  EXPECT_EQ(count_of(place.path(), "SELECT last_seq FROM runs"), 2);
  auto owner = writer_on(place.options(), 2);
  must_write(*owner, told.started(told.task("survey", "claude")));
}

TEST_F(write_session_test, leaves_no_log_behind) {
  story told{"r-1"};
  {
    auto session = writer_on(place.options());
    must_write(*session, told.created());
    EXPECT_TRUE(std::filesystem::exists(place.path().string() + "-wal"));
  }
  EXPECT_FALSE(std::filesystem::exists(place.path().string() + "-wal"));
  auto session = writer_on(place.options());
  auto reader = read_session::open(place.options());
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->find_run(told.run));
  must_write(*session, told.started(told.task("survey", "claude")));
  session.reset();
  EXPECT_EQ(std::filesystem::file_size(place.path().string() + "-wal"), 0U) << "a reader is there, the log is cut";
}

}  // namespace
}  // namespace troupe
