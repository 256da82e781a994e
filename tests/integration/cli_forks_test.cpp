// What replay, diff and fork say of runs that are long, wide, damaged or forked: their bounds and their refusals.
#include "runtime/comparing.hpp"
#include "tests/support/cli_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_forks_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("troupe.toml",
          "[storage]\ndurability = 'normal'\n[agents.read]\nparse = 'json'\ncommand = ['sed', 's/Q/k/g']\n");
    write("line.toml", R"(
name = "line"
[inputs.doc]
default = "{\"Q\":1}"
[[step]]
id = "first"
function = "probe.set"
args = { field = "n", value = 1 }
next = "read"
[[step]]
id = "read"
agent = "read"
prompt = "{{inputs.doc}}"
next = "last"
[[step]]
id = "last"
function = "probe.set"
args = { field = "done", value = true }
)");
  }

  void carry_out(const std::string& id, const std::string& document = R"({"Q":1})") const {
    const auto done = run({"run", "line.toml", "--run-id", id, "--input", "doc=" + document});
    ASSERT_EQ(done.code, 0) << done.err;
  }

  void change(const std::string& sql) const {
    SQLite::Database file{database_path(), SQLite::OPEN_READWRITE};
    file.exec("PRAGMA ignore_check_constraints=ON");
    file.exec("PRAGMA foreign_keys=OFF");
    file.exec(sql);
  }
};

TEST_F(cli_forks_test, a_journal_of_many_pages_is_replayed_whole) {
  constexpr int steps = 300;
  std::string toml = "name = 'long'\n[state.n]\ninitial = 0\nreduce = 'sum'\n";
  for (int i = 1; i <= steps; ++i) {
    toml += "[[step]]\nid = 's" + std::to_string(i) + "'\nfunction = 'probe.add'\nargs = { field = 'n', value = 1 }\n";
    toml += i < steps ? "next = 's" + std::to_string(i + 1) + "'\n" : "";
  }
  write("long.toml", toml);
  ASSERT_EQ(run({"run", "long.toml", "--run-id", "r1", "-q"}).code, 0);
  const auto told = run({"replay", "r1"});
  EXPECT_EQ(told.code, 0) << told.out;
  EXPECT_THAT(told.out, HasSubstr("300 supersteps with 300 tasks"));
  const auto forked = run({"fork", "r1", "--at", "299", "--run-id", "f1", "-q"});
  EXPECT_EQ(forked.code, 0) << forked.err;
  EXPECT_EQ(run_of("f1").state_hash, run_of("r1").state_hash);
}

TEST_F(cli_forks_test, what_differs_is_told_in_any_case_and_how_to_go_on_only_where_it_ended) {
  carry_out("r1");
  change("UPDATE supersteps SET idempotency_key = 'sha256:0' WHERE superstep = 2");
  EXPECT_THAT(run({"replay", "r1", "-q"}).out, HasSubstr("superstep 2: the idempotency key differs"));
  EXPECT_THAT(run({"replay", "r1"}).err, HasSubstr("--lenient goes on"));
  EXPECT_THAT(run({"replay", "r1", "--lenient"}).err, Not(HasSubstr("--lenient goes on")));
}

TEST_F(cli_forks_test, diff_tells_whether_the_states_are_known) {
  carry_out("r1");
  carry_out("r2");
  change("UPDATE tasks SET value = '{\"x\":1}' WHERE run_id = 'r2' AND step_id = 'read'");
  EXPECT_THAT(run({"diff", "r1", "r2"}).out,
              AllOf(HasSubstr("superstep 2, step read, read: value"), HasSubstr("the states after it are equal")));
  change("DELETE FROM supersteps WHERE run_id = 'r2' AND superstep = 2");
  EXPECT_THAT(
      run({"diff", "r1", "r2"}).out,
      AllOf(HasSubstr("superstep 2: length"), HasSubstr("has no row of it"), Not(HasSubstr("states after it"))));
  carry_out("r3");
  change("UPDATE runs SET state = 'cancelled' WHERE run_id = 'r3'");
  EXPECT_THAT(run({"diff", "r1", "r3"}).out,
              AllOf(HasSubstr("superstep 3: end"), HasSubstr("r1  completed"), HasSubstr("r3  cancelled")));
  change("UPDATE runs SET supersteps = 2 WHERE run_id = 'r3'");
  EXPECT_THAT(run({"diff", "r1", "r3"}).out,
              AllOf(HasSubstr("superstep 3: length"), HasSubstr("has it"), Not(HasSubstr("states after it"))));
}

TEST_F(cli_forks_test, diff_names_the_element_of_a_map) {
  write("map.toml", R"(
name = "map"
[state.files]
initial = ["x", "y", "z"]
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "read" }
prompt = '["Q"]'
)");
  for (const auto* id : {"r1", "r2"}) {
    ASSERT_EQ(run({"run", "map.toml", "--run-id", id}).code, 0);
  }
  change("UPDATE tasks SET value = '2' WHERE run_id = 'r2' AND item = 1");
  EXPECT_THAT(run({"diff", "r1", "r2"}).out, HasSubstr("step each, read, element 1: value"));
}

TEST_F(cli_forks_test, a_fork_of_a_fork_begins_no_earlier_than_it) {
  carry_out("r1");
  ASSERT_EQ(run({"fork", "r1", "--at", "2", "--run-id", "f1"}).code, 0);
  const auto told = run({"fork", "f1", "--at", "1"});
  EXPECT_EQ(told.code, 2);
  EXPECT_THAT(told.err, HasSubstr("it has those from 2 to 3; what was before is in run r1"));
  EXPECT_EQ(run({"fork", "f1", "--at", "2", "--run-id", "f2"}).code, 0);
}

TEST_F(cli_forks_test, a_past_that_was_removed_is_left_out_and_one_that_cannot_be_read_is_an_error) {
  carry_out("r1");
  for (const auto* id : {"f1", "f2"}) {
    ASSERT_EQ(run({"fork", "r1", "--at", "1", "--run-id", id}).code, 0);
  }
  const auto compared = [&] { return compare_runs(*stored(), run_id{"f1"}, run_id{"f2"}); };
  ASSERT_TRUE(compared());
  EXPECT_EQ(compared()->shared, superstep_no{1});
  change("UPDATE runs SET parent_run_id = 'f2' WHERE run_id = 'f2'");
  EXPECT_TRUE(compared()) << "no past leads round in a circle, whatever a row says";
  change("UPDATE runs SET parent_run_id = 'r1' WHERE run_id = 'f2'");
  change("UPDATE runs SET state = 'odd' WHERE run_id = 'r1'");
  ASSERT_FALSE(compared());
  EXPECT_EQ(compared().error().code, error_code::storage_corrupt);
  change("DELETE FROM runs WHERE run_id = 'r1'");
  ASSERT_TRUE(compared());
  EXPECT_TRUE(compared()->is_equal());
  EXPECT_FALSE(compared()->shared);
}

TEST_F(cli_forks_test, the_same_fork_twice_is_refused) {
  carry_out("r1");
  ASSERT_EQ(run({"fork", "r1", "--at", "1", "--run-id", "f1", "--no-run"}).code, 0);
  const auto again = run({"fork", "r1", "--at", "1", "--run-id", "f1", "--no-run"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("there is a run f1 already"));
}

TEST_F(cli_forks_test, a_gate_that_waited_asks_again_although_it_was_decided_since) {
  write("ask.toml", R"(
name = "ask"
[[step]]
id = "first"
function = "probe.set"
args = { field = "n", value = 1 }
next = ["sure", "beside"]
[[step]]
id = "sure"
gate = { prompt = "Sure?" }
next = "last"
[[step]]
id = "beside"
function = "probe.set"
args = { field = "m", value = 1 }
[[step]]
id = "last"
function = "probe.set"
args = { field = "done", value = true }
)");
  ASSERT_EQ(run({"run", "ask.toml", "--run-id", "r1"}).code, 4);
  ASSERT_EQ(run({"approve", "r1", "sure"}).code, 0);
  ASSERT_EQ(run({"resume", "r1"}).code, 0);
  for (const auto* at : {"1", "2"}) {
    const auto forked = run({"fork", "r1", "--at", at, "--run-id", std::string{"f"} + at});
    EXPECT_EQ(forked.code, 4) << at << forked.err;
  }
  EXPECT_EQ(run({"pending", "-q"}).out, "f1 sure\nf2 sure\n");
}

}  // namespace
}  // namespace troupe
