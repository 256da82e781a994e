// replay, diff, fork: looking at what was done, and doing it anew from somewhere in the middle.
#include "tests/support/cli_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view line = R"(
name = "line"
[inputs.topic]
default = "locks"
[[step]]
id = "first"
function = "probe.set"
args = { field = "n", value = 1 }
next = "ask"
[[step]]
id = "ask"
agents = ["a", "b"]
prompt = "What of {{inputs.topic}} and {{state.n}}?"
next = "again"
[[step]]
id = "again"
agent = "cat"
prompt = "{{inputs.topic}}"
)";

class cli_study_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("line.toml", line);
    write("troupe.toml",
          "[agents.a]\nparse = 'json'\n" + scripted({"print", R"({"say":1})"}) + "\n[agents.b]\nparse = 'json'\n" +
              scripted({"print", R"(Well: {"say":2})"}) + "\n[agents.cat]\n" + scripted({"cat"}) + "\n[agents.held]\n" +
              held_.command());
  }

  void carry_out(const std::string& id, const words& more = {}) const {
    words all{"run", "line.toml", "--run-id", id};
    all.insert(all.end(), more.begin(), more.end());
    const auto done = run(all);
    ASSERT_EQ(done.code, 0) << done.err;
  }

  /// The database as a file of its own, changed by hand.
  std::string changed(const std::string& sql) const {
    const auto copy = path("changed.db");
    for (const auto* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(copy + end);
    }
    EXPECT_EQ(run({"db", "backup", copy}).code, 0);
    SQLite::Database file{copy, SQLite::OPEN_READWRITE};
    file.exec("PRAGMA ignore_check_constraints=ON");
    file.exec("PRAGMA foreign_keys=OFF");
    file.exec(sql);
    return copy;
  }

  std::int64_t counted_lines(const std::string& name) const {
    std::ifstream in{path(name)};
    return std::count(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}, '\n');
  }

  /// Agents that leave a line in `counted` each time they run, and go on with `then`. Gives the file's name.
  std::string counting(const std::string& name, const words& agents, const std::string& then) const {
    std::string text;
    for (const auto& agent : agents) {
      text += "[agents." + agent + "]\npass_env = ['PATH']\ncommand = ['sh', '-c', 'echo x >> " + path("counted") +
              "; " + then + "']\n";
    }
    return write(name, text);
  }

  latch held_{path("latch")};
};

TEST_F(cli_study_test, a_run_is_replayed_from_its_journal_alone) {
  carry_out("r1");
  const auto told = run({"replay", "r1"});
  EXPECT_EQ(told.code, 0) << told.out;
  EXPECT_THAT(told.out, HasSubstr("run r1 is what its journal says: 3 supersteps with 4 tasks"));
  EXPECT_EQ(run({"replay", "r1", "-q"}).out, "");
  const auto json = json_of(run({"replay", "last", "--json"}).out);
  EXPECT_EQ(at(json, "/run"), "r1");
  EXPECT_EQ(at(json, "/equal"), "true");
  EXPECT_EQ(at(json, "/supersteps"), "3");
  EXPECT_EQ(at(json, "/tasks"), "4");
  EXPECT_EQ(at(json, "/mismatches"), "[]");
  EXPECT_EQ(at(json, "/error"), "null");
  EXPECT_EQ(run({"replay", "nobody"}).code, 2);
}

TEST_F(cli_study_test, a_replay_starts_nobody_and_writes_nothing) {
  carry_out("r1", {"--config", counting("counting.toml", {"a", "b", "cat"}, "echo 1")});
  EXPECT_EQ(counted_lines("counted"), 3);
  const auto last = run_of("r1").last_seq;
  const auto other = changed("UPDATE supersteps SET idempotency_key = 'sha256:0' WHERE superstep = 2");
  for (const words& more : {words{}, words{"--json"}, words{"--lenient"}, words{"--db", other}}) {
    words all{"replay", "r1", "--config", "counting.toml"};
    all.insert(all.end(), more.begin(), more.end());
    const bool is_other = !more.empty() && more.front() == "--db";
    EXPECT_EQ(run(all).code, is_other ? 1 : 0);
  }
  EXPECT_EQ(counted_lines("counted"), 3) << "nobody outside was called";
  EXPECT_EQ(run_of("r1").last_seq, last);
  EXPECT_EQ(stored()->list_runs({})->size(), 1U);
}

struct drift {
  const char* sql;
  const char* what;
  const char* superstep;
  const char* step;
  const char* attempt = "null";
};

TEST_F(cli_study_test, whatever_was_changed_in_the_database_is_named_in_its_place) {
  carry_out("r1");
  const std::vector<drift> planted{
      {"UPDATE tasks SET value = '{\"say\":3}' WHERE agent_name = 'a'", "output", "2", "ask", "1"},
      {"UPDATE tasks SET value = '{\"n\":2}' WHERE step_id = 'again'", "output", "3", "again", "1"},
      {"UPDATE tasks SET deltas = '[[\"n\",2]]' WHERE step_id = 'first'", "deltas", "1", "first"},
      {"UPDATE tasks SET route = '[\"again\"]' WHERE step_id = 'first'", "front", "2", "null"},
      {"UPDATE tasks SET state = 'failed', error_code = 'AGENT_EXIT', error_message = 'x', value = NULL"
       " WHERE step_id = 'again'",
       "deltas",
       "3",
       "again"},
      {"UPDATE attempts SET request_hash = 'sha256:0' WHERE task_id = 'r1/2/ask/b'", "request", "2", "ask", "1"},
      {"UPDATE attempt_output SET stdout = CAST('{\"say\":9}' AS BLOB), stdout_kept = 9 WHERE task_id = 'r1/2/ask/b'",
       "output",
       "2",
       "ask",
       "1"},
      {"UPDATE supersteps SET deltas = '[]' WHERE superstep = 2", "deltas", "2", "ask"},
      {"UPDATE supersteps SET state_hash = 'sha256:0' WHERE superstep = 2", "state", "2", "null"},
      {"UPDATE supersteps SET state = '{\"n\":7}', changes = NULL WHERE superstep = 1", "state", "1", "null"},
      {"UPDATE supersteps SET idempotency_key = 'sha256:0' WHERE superstep = 1", "key", "1", "null"},
      {"UPDATE supersteps SET front = '[[\"ask\",\"a\"]]' WHERE superstep = 2", "front", "2", "null"},
      {"UPDATE runs SET inputs = '{\"topic\":\"keys\"}'", "request", "2", "ask", "1"},
      {"UPDATE runs SET state = 'failed'", "end", "3", "null"},
      {"DELETE FROM supersteps WHERE superstep = 2", "missing", "2", "null"},
      {"DELETE FROM tasks WHERE task_id = 'r1/2/ask/b'", "missing", "2", "ask"},
      {"DELETE FROM attempts WHERE task_id = 'r1/3/again/cat'", "missing", "3", "again"},
      {"UPDATE tasks SET value = '{' WHERE step_id = 'again'", "damaged", "3", "again"},
      {"UPDATE supersteps SET deltas = '[' WHERE superstep = 3", "damaged", "3", "null"},
      {"UPDATE supersteps SET standing = '{}' WHERE superstep = 3", "damaged", "3", "null"},
  };
  for (const auto& each : planted) {
    const auto copy = changed(each.sql);
    const auto told = run({"replay", "r1", "--json", "--db", copy});
    EXPECT_EQ(told.code, 1) << each.sql << told.out;
    const auto json = json_of(told.out);
    EXPECT_EQ(at(json, "/equal"), "false") << each.sql;
    EXPECT_EQ(at(json, "/mismatches/0/what"), each.what) << each.sql << told.out;
    EXPECT_EQ(at(json, "/mismatches/0/superstep"), each.superstep) << each.sql << told.out;
    EXPECT_EQ(at(json, "/mismatches/0/step"), each.step) << each.sql << told.out;
    EXPECT_EQ(at(json, "/mismatches/0/attempt"), each.attempt) << each.sql << told.out;
    EXPECT_EQ(at(json, "/error/code"), "REPLAY_MISMATCH") << each.sql;
  }
}

TEST_F(cli_study_test, lenient_lists_all_with_both_hashes) {
  carry_out("r1");
  const auto copy = changed("UPDATE supersteps SET idempotency_key = 'sha256:0' WHERE superstep > 1");
  const auto strict = run({"replay", "r1", "--db", copy});
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.out, AllOf(HasSubstr("superstep 2: the idempotency key differs"), Not(HasSubstr("superstep 3:"))));
  EXPECT_THAT(strict.err, HasSubstr("--lenient"));
  const auto lenient = run({"replay", "r1", "--lenient", "--db", copy});
  EXPECT_EQ(lenient.code, 1);
  EXPECT_THAT(lenient.out,
              AllOf(HasSubstr("superstep 2:"),
                    HasSubstr("superstep 3:"),
                    HasSubstr("recorded sha256:0\n"),
                    HasSubstr("replayed sha256:"),
                    HasSubstr("2 differences")));
}

TEST_F(cli_study_test, large_outputs_are_read_from_their_files) {
  write("flood.toml", "name = 'flood'\n[[step]]\nid = 's'\nagent = 'flood'\n");
  write("flood.config.toml", "[storage]\ninline_limit = '1KiB'\n[agents.flood]\n" + scripted({"flood", "200000"}));
  ASSERT_EQ(run({"run", "flood.toml", "--run-id", "r1", "--config", "flood.config.toml"}).code, 0);
  EXPECT_EQ(run({"replay", "r1"}).code, 0);
  std::filesystem::remove_all(database_path() + ".blobs");
  const auto told = run({"replay", "r1"});
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.out, HasSubstr("superstep 1, step 's', task r1/1/s/flood, attempt 1: what the output says"));
}

TEST_F(cli_study_test, a_run_at_work_and_one_that_is_paused_are_replayed_beside_their_process) {
  write("held.toml",
        "name = 'held'\n[[step]]\nid = 'one'\nfunction = 'probe.set'\n"
        "args = { field = 'n', value = 1 }\nnext = 'two'\n[[step]]\nid = 'two'\nagent = 'held'\n");
  auto running = start({"run", "held.toml", "--run-id", "r1", "--set", "runtime.drain_timeout=0ms"});
  ASSERT_TRUE(running.wait_for("two/held"));
  const auto beside = run({"replay", "r1"});
  EXPECT_EQ(beside.code, 0) << beside.out;
  EXPECT_THAT(beside.out, HasSubstr("1 superstep with 1 task"));
  const auto fork = run({"fork", "r1", "--at", "1"});
  EXPECT_EQ(fork.code, 8);
  EXPECT_THAT(fork.err, HasSubstr(std::to_string(running.pid()))) << "who holds it";
  running.signal(SIGTERM);
  ASSERT_EQ(running.wait().code, 4);
  EXPECT_EQ(run({"replay", "r1"}).code, 0);
  held_.let_go();
  const auto forked = run({"fork", "r1", "--at", "1", "--run-id", "f1"});
  EXPECT_EQ(forked.code, 0) << forked.err;
  EXPECT_EQ(run_of("r1").state, run_state::paused) << "it stays as it is";
}

TEST_F(cli_study_test, a_failed_and_a_cancelled_run_are_replayed) {
  write("bad.toml", "name = 'bad'\n[[step]]\nid = 's'\nagent = 'bad'\n");
  write("bad.config.toml", "[agents.bad]\n" + scripted({"print", "no", "exit", "3"}));
  EXPECT_EQ(run({"run", "bad.toml", "--run-id", "r1", "--config", "bad.config.toml"}).code, 1);
  EXPECT_EQ(run({"replay", "r1"}).code, 0) << run({"replay", "r1"}).out;
  write("held.toml", "name = 'held'\n[[step]]\nid = 's'\nagent = 'held'\n");
  auto running = start({"run", "held.toml", "--run-id", "r2"});
  ASSERT_TRUE(running.wait_for("s/held"));
  running.signal(SIGINT);
  ASSERT_EQ(running.wait().code, 5);
  EXPECT_EQ(run({"replay", "r2"}).code, 0);
}

TEST_F(cli_study_test, diff_names_the_first_superstep_that_differs_and_the_states_there) {
  carry_out("r1");
  carry_out("r2");
  carry_out("r3", {"--input", "topic=keys"});
  const auto same = run({"diff", "r1", "r2"});
  EXPECT_EQ(same.code, 0) << same.out;
  EXPECT_THAT(same.out, AllOf(HasSubstr("3 supersteps are equal"), HasSubstr("the runs are equal")));
  const auto other = run({"diff", "r1", "r3"});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.out,
              AllOf(HasSubstr("the inputs differ\n  /topic\n    r1  \"locks\"\n    r3  \"keys\"\n"),
                    HasSubstr("2 supersteps are equal"),
                    HasSubstr("superstep 3, step again, cat: value"),
                    HasSubstr("  /again\n    r1  \"locks\"\n    r3  \"keys\"\n")));
  const auto json = json_of(run({"diff", "r1", "r3", "--json"}).out);
  EXPECT_EQ(at(json, "/equal"), "false");
  EXPECT_EQ(at(json, "/workflow_differs"), "false");
  EXPECT_EQ(at(json, "/inputs/0/pointer"), "/topic");
  EXPECT_EQ(at(json, "/supersteps"), "2");
  EXPECT_EQ(at(json, "/first/superstep"), "3");
  EXPECT_EQ(at(json, "/first/what"), "value");
  EXPECT_EQ(at(json, "/first/step"), "again");
  EXPECT_EQ(at(json, "/state/0/pointer"), "/again");
  EXPECT_EQ(at(json, "/state/0/right"), "keys");
  write("short.toml",
        "name = 'line'\n[[step]]\nid = 'first'\nfunction = 'probe.set'\nargs = { field = 'n', value = 1 "
        "}\n");
  ASSERT_EQ(run({"run", "short.toml", "--run-id", "r4"}).code, 0);
  const auto shorter = run({"diff", "r1", "r4"});
  EXPECT_EQ(shorter.code, 1);
  EXPECT_THAT(shorter.out, AllOf(HasSubstr("the workflows differ"), HasSubstr("completed after superstep 1")));
}

TEST_F(cli_study_test, a_fork_shares_the_past_and_goes_on_from_there) {
  carry_out("r1");
  const auto forked = run({"fork", "r1", "--at", "1", "--run-id", "f1"});
  EXPECT_EQ(forked.code, 0) << forked.err;
  EXPECT_THAT(forked.err, HasSubstr("run f1 begins after superstep 1"));
  const auto made = run_of("f1");
  EXPECT_EQ(made.state, run_state::completed);
  EXPECT_EQ(made.parent, run_id{"r1"});
  EXPECT_EQ(made.forked_at, superstep_no{1});
  EXPECT_EQ(made.supersteps, 3);
  EXPECT_EQ(made.steps, 3) << "what was done before is not done again";
  EXPECT_EQ(made.state_hash, run_of("r1").state_hash);
  EXPECT_EQ(tasks_of("f1").front().superstep.value(), 2);
  EXPECT_EQ(run({"replay", "f1"}).code, 0) << run({"replay", "f1"}).out;
  const auto same = run({"diff", "r1", "f1"});
  EXPECT_EQ(same.code, 0) << same.out;
  EXPECT_THAT(same.out, HasSubstr("supersteps 0 to 1 are one past that both share"));
  EXPECT_THAT(run({"show", "f1"}).out, HasSubstr("from run r1 after superstep 1"));
  EXPECT_THAT(run({"runs"}).out, HasSubstr("line, forked from r1 at 1"));
  EXPECT_EQ(at(json_of(run({"show", "f1", "--json"}).out), "/forked_at"), "1");
  EXPECT_EQ(run({"logs", "f1"}).code, 0);
  EXPECT_THAT(run({"output", "f1", "again"}).out, HasSubstr("locks"));
  const auto again = run({"fork", "f1", "--at", "2", "--run-id", "f2"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(run({"diff", "r1", "f2"}).out, HasSubstr("supersteps 0 to 1 are one past"));
  EXPECT_THAT(run({"diff", "f1", "f2"}).out, HasSubstr("supersteps 0 to 2 are one past"));
  EXPECT_EQ(run({"db", "check"}).code, 0) << run({"db", "check"}).out;
}

// Branches, a map, a join, a failure that is dealt with, and a gate that nobody decides.
constexpr std::string_view wide = R"(
name = "wide"
[state.files]
initial = ["x", "y", "z"]
[[step]]
id = "start"
function = "probe.set"
args = { field = "n", value = 3 }
next = ["each", "bad"]
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "cat" }
prompt = "{{file}} of {{state.n}}"
next = "both"
[[step]]
id = "bad"
function = "probe.fail"
args = { class = "permanent" }
on_error = "mend"
[[step]]
id = "mend"
function = "probe.set"
args = { field = "mended", value = true }
next = "both"
[[step]]
id = "both"
join = ["each", "mend"]
agents = ["a", "b"]
next = [{ to = "never", when = { path = "/n", gt = 3 } }, { to = "sure" }]
[[step]]
id = "sure"
gate = { prompt = "Go on with {{state.each}}?" }
[[step]]
id = "never"
function = "probe.set"
args = { field = "never", value = true }
)";

TEST_F(cli_study_test, the_whole_format_is_replayed_and_a_fork_asks_again) {
  write("wide.toml", wide);
  const auto done = run({"run", "wide.toml", "--run-id", "r1"});
  ASSERT_EQ(done.code, 4) << done.err;
  const auto told = run({"replay", "r1"});
  EXPECT_EQ(told.code, 0) << told.out;
  EXPECT_THAT(told.out, HasSubstr("4 supersteps with 8 tasks"));
  const auto moved = changed("UPDATE gates SET prompt = 'Sure?'");
  EXPECT_THAT(run({"replay", "r1", "--db", moved}).out, HasSubstr("superstep 5, step 'sure': the gate that is opened"));
  EXPECT_EQ(run({"replay", "r1", "--db", changed("DELETE FROM gates")}).code, 1);
  EXPECT_THAT(run({"replay", "r1", "--db", changed("UPDATE tasks SET value = '1' WHERE item = 1")}).out,
              HasSubstr("superstep 2, step 'each', task r1/2/each/cat/1, attempt 1"));
  for (const auto* at : {"0", "2", "4"}) {
    const auto id = std::string{"f"} + at;
    const auto forked = run({"fork", "r1", "--at", at, "--run-id", id});
    EXPECT_EQ(forked.code, 4) << at << forked.err;
    EXPECT_EQ(run_of(id).state_hash, run_of("r1").state_hash) << at;
    EXPECT_EQ(run_of(id).supersteps, 4) << at;
    EXPECT_EQ(run({"replay", id}).code, 0) << run({"replay", id}).out;
    EXPECT_EQ(run({"diff", "r1", id}).code, 0) << run({"diff", "r1", id}).out;
  }
  EXPECT_EQ(run({"db", "check"}).code, 0) << run({"db", "check"}).out;
}

TEST_F(cli_study_test, a_fork_can_be_created_alone_and_resumed_later) {
  carry_out("r1");
  const auto made = run({"fork", "r1", "--at", "0", "--run-id", "f1", "--no-run"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out, "f1\n");
  EXPECT_EQ(run_of("f1").state, run_state::paused);
  EXPECT_EQ(run({"replay", "f1"}).code, 0);
  EXPECT_EQ(run({"db", "check"}).code, 0) << run({"db", "check"}).out;
  EXPECT_EQ(run({"resume", "f1"}).code, 0);
  EXPECT_EQ(run_of("f1").state_hash, run_of("r1").state_hash);
  EXPECT_EQ(run({"replay", "f1"}).code, 0);
}

TEST_F(cli_study_test, fork_says_what_is_wrong_and_writes_nothing) {
  carry_out("r1");
  const std::vector<std::pair<words, std::string>> wrong{
      {{"fork", "r1"}, "--at is missing"},
      {{"fork", "r1", "--at", "4"}, "it has those from 0 to 3"},
      {{"fork", "r1", "--at", "3"}, "superstep 3 ended run r1"},
      {{"fork", "r1", "--at", "-1"}, "--at"},
      {{"fork", "r1", "--at", "1", "--run-id", "r1"}, "there is a run r1 already"},
      {{"fork", "r1", "--at", "1", "--run-id", "last"}, "cannot be the id of a run"},
      {{"fork", "nobody", "--at", "1"}, "there is no run 'nobody'"},
  };
  for (const auto& [command, what] : wrong) {
    const auto told = run(command);
    EXPECT_EQ(told.code, 2) << command.back() << told.out;
    EXPECT_THAT(told.err, HasSubstr(what));
  }
  EXPECT_EQ(stored()->list_runs({})->size(), 1U);
}

TEST_F(cli_study_test, a_run_that_has_ended_is_told_again_and_not_done_again) {
  write("count.toml",
        "name = 'count'\n[inputs.code]\ndefault = 0\n[[step]]\nid = 's'\nagent = 'count'\nprompt = "
        "'{{inputs.code}}'\n");
  write("held.toml", "name = 'held'\n[[step]]\nid = 's'\nagent = 'held'\n");
  const words good{
      "run", "count.toml", "--run-id", "good", "--json", "--config", counting("good.toml", {"count"}, "echo done")};
  const words bad{
      "run", "count.toml", "--run-id", "bad", "--json", "--config", counting("bad.toml", {"count"}, "exit 3")};
  const words held{"run", "held.toml", "--run-id", "held", "--json"};
  EXPECT_EQ(run(good).code, 0);
  EXPECT_EQ(run(bad).code, 1);
  {
    auto running = start({"run", "held.toml", "--run-id", "held"});
    ASSERT_TRUE(running.wait_for("s/held"));
    running.signal(SIGINT);
    ASSERT_EQ(running.wait().code, 5);
  }
  const auto newest = [&] {
    return std::vector{run_of("good").last_seq, run_of("bad").last_seq, run_of("held").last_seq};
  };
  const auto before = newest();
  const auto told = run(good);
  EXPECT_EQ(told.code, 0);
  EXPECT_EQ(at(json_of(told.out), "/result/s"), "done");
  const auto failed = run(bad);
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(at(json_of(failed.out), "/error/code"), "AGENT_EXIT");
  const auto cancelled = run(held);
  EXPECT_EQ(cancelled.code, 5);
  EXPECT_EQ(at(json_of(cancelled.out), "/state"), "cancelled");
  EXPECT_EQ(newest(), before) << "nothing was executed";
  EXPECT_EQ(counted_lines("counted"), 2);
  const auto other =
      run({"run", "count.toml", "--run-id", "bad", "--input", "code=1", "--json", "--config", "bad.toml"});
  EXPECT_EQ(other.code, 2);
  EXPECT_EQ(at(json_of(other.out), "/error/code"), "IDEMPOTENCY_VIOLATION");
}

}  // namespace
}  // namespace troupe
