// A whole run as the actors tell it, and what readers then see.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

class scripted_run : public testing::Test {
 protected:
  void SetUp() override {
    auto session = writer_on(place.options());
    tell(*session, told.created({{"survey", "gemini"}, {"survey", "claude"}, {"survey", "gpt"}}));
    for (const std::string agent : {"gemini", "claude", "gpt"}) {
      tell(*session, told.started(told.task("survey", agent), 1, 100));
    }
    tell(*session, told.printed(told.task("survey", "claude"), std::string{"{\"a\":\0 1}\xFF", 9}));
    tell(*session, told.finished(told.task("survey", "claude"), R"({"decision":"yes"})"));
    tell(*session, told.printed(told.task("survey", "gemini"), R"({"decision": "yes"})"));
    tell(*session, told.finished(told.task("survey", "gemini"), R"({"decision":"yes"})"));
    auto lost = told.printed(told.task("survey", "gpt"), "");
    lost.exit.exit_code.reset();
    lost.exit.signal = 9;
    tell(*session, lost);
    tell(*session, told.failed(told.task("survey", "gpt"), error_code::agent_signal));
    tell(*session,
         told.committed(1, R"({"findings":["x"],"survey":{"decision":"yes"}})", {{"plan", "claude"}}, {vote()}));
    tell(*session, told.started(told.task("plan", "claude", 2), 1, 200));
    auto plan = told.finished(told.task("plan", "claude", 2), R"("done")");
    plan.outcome.deltas = {{field_name{"plan"}, json_text{R"(["a,b",{"c":1}])"}},
                           {field_name{"q\"uote"}, json_text{"null"}}};
    tell(*session, plan);
    auto last = told.committed(2, end_state, {}, {story::alone("plan", "claude", R"("done")")});
    last.end->degraded = true;
    tell(*session, last);
  }

  static step_verdict vote() {
    step_verdict verdict;
    verdict.step = step_id{"survey"};
    verdict.reached.status = verdict_status::degraded;
    verdict.reached.asked = {agent_name{"gemini"}, agent_name{"claude"}, agent_name{"gpt"}};
    verdict.reached.answered = {agent_name{"gemini"}, agent_name{"claude"}};
    verdict.reached.missing = {{agent_name{"gpt"}, {error_code::agent_signal, "killed", ""}}};
    verdict.reached.quorum = 2;
    verdict.reached.winner = json_text{R"({"decision":"yes"})"};
    verdict.reached.agreement = 1;
    verdict.reached.degraded = true;
    const json_text yes{R"({"decision":"yes"})"};
    verdict.answers = {{agent_name{"gemini"}, yes, {}},
                       {agent_name{"claude"}, yes, {}},
                       {agent_name{"gpt"}, {}, error{error_code::agent_signal, "killed", ""}}};
    return verdict;
  }

  void tell(write_session& session, const write_command& command) {
    auto written = must_write(session, command);
    for (auto& event : written.events) {
      published.push_back(std::move(event));
    }
  }

  std::unique_ptr<read_session> reader() {
    auto opened = read_session::open(place.options());
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  static constexpr const char* end_state = R"({"findings":["x"],"plan":"done","survey":{"decision":"yes"}})";
  temporary_database place;
  story told{"r-1"};
  event_batch published;
};

TEST_F(scripted_run, reads_back_the_run) {
  const auto run = reader()->find_run(told.run);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->run, told.run);
  EXPECT_EQ(run->workflow, "review");
  EXPECT_EQ(run->workflow_hash, "sha256:workflow");
  EXPECT_EQ(run->subject, "SPEC-7");
  EXPECT_EQ(run->state, run_state::completed);
  EXPECT_TRUE(run->degraded);
  EXPECT_EQ(run->steps, 4);
  EXPECT_EQ(run->supersteps, 2);
  EXPECT_EQ(run->inputs, json_text{R"({"topic":"locks"})"});
  EXPECT_EQ(run->result, json_text{end_state});
  EXPECT_EQ(run->state_hash, hash_of(json_text{end_state}));
  EXPECT_EQ(run->input_tokens, 300);
  EXPECT_EQ(run->output_tokens, 60);
  EXPECT_EQ(run->started_at, at_second(0));
  EXPECT_EQ(run->finished_at, at_second(13));
  EXPECT_EQ(run->why, std::nullopt);
  EXPECT_EQ(run->last_seq, published.back().seq);
}

TEST_F(scripted_run, reads_back_the_tasks_in_graph_order) {
  const auto tasks = reader()->list_tasks(told.run);
  ASSERT_TRUE(tasks);
  ASSERT_EQ(tasks->size(), 4U);
  const auto& gpt = (*tasks)[2];
  EXPECT_EQ(gpt.task, told.task("survey", "gpt"));
  EXPECT_EQ(gpt.order, 2);
  EXPECT_EQ(gpt.state, task_state::failed);
  EXPECT_EQ(gpt.attempt, attempt_no{1});
  EXPECT_EQ(gpt.pid, 100);
  EXPECT_EQ(gpt.pid_start_time, 1000);
  EXPECT_EQ(gpt.exit_code, std::nullopt);
  EXPECT_EQ(gpt.signal, 9);
  EXPECT_EQ(gpt.why, (error{error_code::agent_signal, "it did not work", "look again"}));
  EXPECT_EQ(gpt.value, std::nullopt);
  const auto& claude = (*tasks)[1];
  EXPECT_EQ(claude.value, json_text{R"({"decision":"yes"})"});
  EXPECT_EQ(claude.standard_output_bytes, 9);
  EXPECT_EQ(claude.standard_error_bytes, 8);
  EXPECT_EQ(claude.exit_code, 0);
  EXPECT_EQ(claude.started_at, at_second(2));
  EXPECT_EQ(claude.finished_at, at_second(5));
  const auto& plan = (*tasks)[3];
  ASSERT_EQ(plan.deltas.size(), 2U);
  EXPECT_EQ(plan.deltas[0].field, field_name{"plan"});
  EXPECT_EQ(plan.deltas[0].value, json_text{R"(["a,b",{"c":1}])"});
  EXPECT_EQ(plan.deltas[1].field, field_name{"q\"uote"});
  EXPECT_EQ(plan.deltas[1].value, json_text{"null"});
}

TEST_F(scripted_run, keeps_output_byte_for_byte) {
  const auto outputs = reader()->find_output(told.run, step_id{"survey"}, agent_name{"claude"});
  ASSERT_TRUE(outputs);
  ASSERT_EQ(outputs->size(), 1U);
  EXPECT_EQ(outputs->front().standard_output, (std::string{"{\"a\":\0 1}\xFF", 9}));
  EXPECT_EQ(outputs->front().standard_error, "warning\n");
}

TEST_F(scripted_run, reads_back_the_events_that_were_published) {
  const auto events = reader()->list_events(told.run, event_seq{0}, 1000);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), published.size());
  for (std::size_t i = 0; i < events->size(); ++i) {
    const auto& read = (*events)[i];
    const auto& told_then = published[i];
    EXPECT_EQ(read.seq, event_seq{static_cast<std::int64_t>(i) + 1});
    EXPECT_EQ(read.seq, told_then.seq);
    EXPECT_EQ(read.kind, told_then.kind);
    EXPECT_EQ(read.time, told_then.time);
    EXPECT_EQ(read.task, told_then.task);
    EXPECT_EQ(read.step, told_then.step);
    EXPECT_EQ(read.superstep, told_then.superstep);
    EXPECT_EQ(read.attempt, told_then.attempt);
    EXPECT_EQ(read.agent, told_then.agent);
    EXPECT_EQ(read.data, told_then.data);
  }
}

TEST_F(scripted_run, tells_its_events_in_this_order) {
  std::vector<std::string> kinds;
  for (const auto& event : published) {
    kinds.emplace_back(to_string(event.kind));
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"run.started",
                                      "task.queued",
                                      "task.queued",
                                      "task.queued",
                                      "task.started",
                                      "task.started",
                                      "task.started",
                                      "task.completed",
                                      "task.completed",
                                      "task.failed",
                                      "consensus.reached",
                                      "superstep.committed",
                                      "task.queued",
                                      "task.started",
                                      "task.completed",
                                      "consensus.reached",
                                      "superstep.committed",
                                      "run.completed"}));
}

TEST_F(scripted_run, says_in_the_data_what_a_display_needs) {
  const auto data_of = [&](event_kind kind) {
    for (const auto& event : published) {
      if (event.kind == kind) {
        return event.data.str();
      }
    }
    return std::string{};
  };
  EXPECT_EQ(data_of(event_kind::run_started),
            R"({"deadline":"2026-11-21T07:20:00.000000Z","state_hash":")" + hash_of(json_text{R"({"findings":[]})"}) +
                R"(","subject":"SPEC-7","workflow":"review","workflow_hash":"sha256:workflow"})");
  EXPECT_EQ(data_of(event_kind::task_queued), R"({"order":0})");
  EXPECT_EQ(data_of(event_kind::task_started), R"({"pid":100})");
  EXPECT_EQ(data_of(event_kind::task_completed),
            R"({"found_by":"whole","stderr_bytes":8,"stdout_bytes":9,"usage":{"input_tokens":100,)"
            R"("model":"claude-sonnet-4-5","output_tokens":20},"value_bytes":18})");
  EXPECT_EQ(data_of(event_kind::task_failed),
            R"({"code":"AGENT_SIGNAL","hint":"look again","message":"it did not work","signal":9})");
  EXPECT_EQ(
      data_of(event_kind::consensus_reached),
      R"({"agreement":1,"answered":["gemini","claude"],"asked":["gemini","claude","gpt"],"degraded":true,)"
      R"("dissent":0,"emergency":false,"missing":[{"agent":"gpt","code":"AGENT_SIGNAL","message":"killed"}],"quorum":2,)"
      R"("status":"degraded"})");
  EXPECT_EQ(data_of(event_kind::superstep_committed),
            R"({"changed":["findings","survey"],"next":["plan"],"state_hash":")" +
                hash_of(json_text{R"({"findings":["x"],"survey":{"decision":"yes"}})"}) + R"("})");
  EXPECT_EQ(data_of(event_kind::run_completed),
            R"({"cost_microusd":0,"degraded":true,"input_tokens":300,"output_tokens":60,"state_hash":")" +
                hash_of(json_text{end_state}) + R"(","steps":4,"supersteps":2})");
}

TEST_F(scripted_run, keeps_one_consensus_with_the_outputs_below_it) {
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  SQLite::Statement rows{file,
                         "SELECT c.spec_id, c.stage, c.run_timestamp, c.consensus_ok, c.degraded, c.synthesis_json,"
                         " (SELECT group_concat(agent_name || '=' || content || '@' || coalesce(model_version, '-') ||"
                         " '@' || output_timestamp, ' ') FROM agent_outputs WHERE run_id = c.id) FROM consensus_runs AS"
                         " c ORDER BY c.id"};
  ASSERT_TRUE(rows.executeStep());
  EXPECT_EQ(rows.getColumn(0).getString(), "SPEC-7");
  EXPECT_EQ(rows.getColumn(1).getString(), "survey");
  EXPECT_EQ(rows.getColumn(2).getInt64(), 1'795'245'010'000);
  EXPECT_EQ(rows.getColumn(3).getInt(), 1);
  EXPECT_EQ(rows.getColumn(4).getInt(), 1);
  EXPECT_EQ(rows.getColumn(5).getString(), R"({"decision":"yes"})");
  EXPECT_EQ(rows.getColumn(6).getString(),
            R"(gemini={"decision":"yes"}@claude-sonnet-4-5@1795245007000 )"
            R"(claude={"decision":"yes"}@claude-sonnet-4-5@1795245005000)");
  ASSERT_TRUE(rows.executeStep());
  EXPECT_EQ(rows.getColumn(1).getString(), "plan");
  EXPECT_EQ(rows.getColumn(4).getInt(), 0);
  EXPECT_FALSE(rows.executeStep());
}

TEST_F(scripted_run, reads_back_the_verdicts_in_order_of_commit) {
  const auto verdicts = reader()->list_verdicts(told.run);
  ASSERT_TRUE(verdicts);
  ASSERT_EQ(verdicts->size(), 2U);
  EXPECT_EQ((*verdicts)[0].superstep, superstep_no{1});
  EXPECT_EQ((*verdicts)[0].step, step_id{"survey"});
  EXPECT_EQ((*verdicts)[0].verdict.str(),
            R"({"agreed":[],"agreement":1,"answered":["gemini","claude"],"asked":["gemini","claude","gpt"],)"
            R"("degraded":true,"dissent":[],"emergency":false,)"
            R"("missing":[{"agent":"gpt","code":"AGENT_SIGNAL","message":"killed"}],"quorum":2,"status":"degraded"})");
  EXPECT_EQ((*verdicts)[1].superstep, superstep_no{2});
  EXPECT_EQ((*verdicts)[1].step, step_id{"plan"});
  const auto unknown = reader()->list_verdicts(run_id{"r-9"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, error_code::not_found);
}

// The verdict's list and the rows say the same; what was printed is kept with the attempt.
TEST_F(scripted_run, keeps_no_row_of_an_answer_that_does_not_count) {
  auto session = writer_on(place.options());
  story other{"r-2"};
  tell(*session, other.created({{"survey", "claude"}, {"survey", "gpt"}}));
  for (const std::string agent : {"claude", "gpt"}) {
    tell(*session, other.started(other.task("survey", agent)));
    tell(*session, other.printed(other.task("survey", agent), "{}"));
    tell(*session, other.finished(other.task("survey", agent), "{}"));
  }
  auto verdict = vote();
  verdict.reached.asked = {agent_name{"claude"}, agent_name{"gpt"}};
  verdict.reached.answered = {agent_name{"claude"}};
  verdict.answers = {{agent_name{"claude"}, json_text{"{}"}, {}}, {agent_name{"gpt"}, json_text{"{}"}, {}}};
  tell(*session, other.committed(1, R"({"findings":["x"]})", {}, {verdict}));
  session.reset();
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  SQLite::Statement rows{file,
                         "SELECT group_concat(agent_name) FROM agent_outputs AS o JOIN consensus_verdicts AS v"
                         " ON v.consensus_id = o.run_id WHERE v.run_id = 'r-2'"};
  ASSERT_TRUE(rows.executeStep());
  EXPECT_EQ(rows.getColumn(0).getString(), "claude");
}

TEST_F(scripted_run, shows_in_the_views_what_the_contract_says) {
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  SQLite::Statement run{file, "SELECT * FROM run_overview"};
  ASSERT_TRUE(run.executeStep());
  const std::vector<std::string> names{"run",
                                       "workflow",
                                       "subject",
                                       "state",
                                       "degraded",
                                       "supersteps",
                                       "cost_usd",
                                       "error_code",
                                       "started_at",
                                       "finished_at"};
  ASSERT_EQ(run.getColumnCount(), static_cast<int>(names.size()));
  for (int i = 0; i < run.getColumnCount(); ++i) {
    EXPECT_STREQ(run.getColumnName(i), names[static_cast<std::size_t>(i)].c_str());
  }
  EXPECT_EQ(run.getColumn(8).getString(), "2026-11-21T07:10:00.000000Z");
  EXPECT_EQ(run.getColumn(9).getString(), "2026-11-21T07:10:13.000000Z");

  SQLite::Statement task{file, "SELECT * FROM task_overview WHERE agent = 'gpt'"};
  ASSERT_TRUE(task.executeStep());
  const std::vector<std::string> task_names{"run",
                                            "superstep",
                                            "step",
                                            "agent",
                                            "attempt",
                                            "state",
                                            "error_code",
                                            "exit_code",
                                            "signal",
                                            "started_at",
                                            "finished_at"};
  ASSERT_EQ(task.getColumnCount(), static_cast<int>(task_names.size()));
  for (int i = 0; i < task.getColumnCount(); ++i) {
    EXPECT_STREQ(task.getColumnName(i), task_names[static_cast<std::size_t>(i)].c_str());
  }
  EXPECT_EQ(task.getColumn(5).getString(), "failed");
  EXPECT_EQ(task.getColumn(6).getString(), "AGENT_SIGNAL");
  EXPECT_EQ(task.getColumn(8).getInt(), 9);

  SQLite::Statement log{file, "SELECT * FROM event_log ORDER BY seq DESC LIMIT 1"};
  ASSERT_TRUE(log.executeStep());
  const std::vector<std::string> log_names{"run", "seq", "time", "kind", "step", "agent", "attempt", "data"};
  ASSERT_EQ(log.getColumnCount(), static_cast<int>(log_names.size()));
  for (int i = 0; i < log.getColumnCount(); ++i) {
    EXPECT_STREQ(log.getColumnName(i), log_names[static_cast<std::size_t>(i)].c_str());
  }
  EXPECT_EQ(log.getColumn(3).getString(), "run.completed");
}

TEST_F(scripted_run, passes_its_own_check) {
  const auto findings = check_database(place.options());
  ASSERT_TRUE(findings) << findings.error().message;
  for (const auto& finding : *findings) {
    ADD_FAILURE() << finding.rule << ": " << finding.text;
  }
}

}  // namespace
}  // namespace troupe
