// CX: what two, three or four agents come to, by the exit code, the JSON and the words of the program.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class verdict_test : public cli_fixture {
 protected:
  void SetUp() override {
    std::string agents;
    const auto add = [&](const std::string& name, const words& script) {
      agents += "[agents." + name + "]\n" + scripted(script);
    };
    add("yes", {"print", R"({"decision": "Yes", "by": 1})"});
    add("also-yes", {"print", R"({"by": 2, "decision": " yes"})"});
    add("third-yes", {"print", R"(Well. ```json
{"decision": "YES"}
```)"});
    add("no", {"print", R"({"decision": "no"})"});
    add("also-no", {"print", R"({"decision": "No"})"});
    add("broken", {"complain", "out of order\n", "exit", "3"});
    add("mute", {});
    std::string as_json;
    for (std::size_t from = 0; from < agents.size();) {
      const auto end = agents.find("]\n", agents.find("command", from)) + 2;
      as_json += agents.substr(from, end - from) + "parse = 'json'\n";
      from = end;
    }
    write("troupe.toml", as_json);
  }

  std::string vote(const std::string& agents, const std::string& more = "") const {
    return write(
        "vote.toml",
        "name = 'vote'\n[[step]]\nid = 'decide'\nagents = " + agents +
            "\nprompt = 'Well?'\n[step.consensus]\nstrategy = 'vote'\nvote_on = '/decision'\nretry_degraded = 0\n" +
            more);
  }
};

TEST_F(verdict_test, the_exit_code_follows_from_who_answered_what) {
  struct question {
    std::string agents;
    int code;
    int strict_code;
    std::string error;
    std::string degraded;
    std::string words;
    std::string more{};
  };
  const std::string unanimous = R"(["yes", "also-yes", "third-yes"])";
  const std::vector<question> table{
      {unanimous, 0, 0, "nothing", "false", "3 of 3 answered, all agree"},
      {R"(["yes", "also-yes", "no"])", 0, 0, "nothing", "false", "3 of 3 answered, 2 agree, in dissent: no"},
      {R"(["yes", "also-yes", "broken"])", 0, 3, "nothing", "true", "2 of 3 answered: yes and also-yes, all agree"},
      {R"(["yes", "also-yes", "mute"])", 0, 3, "nothing", "true", "mute is missing: AGENT_NO_OUTPUT"},
      {R"(["yes", "broken", "mute"])", 1, 1, "QUORUM_NOT_MET", "true", "1 of 3 answered: yes, 2 needed"},
      {R"(["broken", "mute"])", 1, 1, "QUORUM_NOT_MET", "true", "0 of 2 answered, 2 needed"},
      {R"(["yes", "no"])", 1, 1, "CONSENSUS_CONFLICT", "false", "2 of 2 answered"},
      {R"(["yes", "also-yes", "no", "also-no"])", 1, 1, "CONSENSUS_CONFLICT", "false", "4 of 4 answered"},
      {R"(["yes", "no", "broken"])", 1, 1, "CONSENSUS_CONFLICT", "true", "2 of 3 answered"},
      {R"(["yes", "broken", "mute"])", 0, 3, "nothing", "true", "1 of 3 answered: yes", "quorum = 1\n"},
      {R"(["yes", "also-yes", "broken"])", 1, 1, "QUORUM_NOT_MET", "true", "3 needed", "quorum = 3\n"},
  };
  for (const question& each : table) {
    SCOPED_TRACE(each.agents + each.more);
    const auto flow = vote(each.agents, each.more);
    const auto json = run({"run", flow, "--json"});
    const auto document = json_of(json.out);
    EXPECT_EQ(json.code, each.code) << json.out;
    EXPECT_EQ(at(document, "/state"), each.code == 0 ? "completed" : "failed");
    EXPECT_EQ(at(document, "/degraded"), each.degraded);
    EXPECT_EQ(at(document, "/error/code"), each.error);
    if (each.code == 0) {
      EXPECT_EQ(at(document, "/result/decide/decision"), "Yes");
    } else {
      EXPECT_EQ(at(document, "/result"), "{}");
      EXPECT_EQ(at(document, "/error/step"), "decide");
    }
    const auto strict = run({"run", flow, "--strict"});
    EXPECT_EQ(strict.code, each.strict_code);
    EXPECT_THAT(strict.out, HasSubstr(each.words));
    EXPECT_THAT(run({"show", "last"}).out, HasSubstr(each.words));
  }
  EXPECT_THAT(run({"db", "check"}).out, HasSubstr("intact"));
}

TEST_F(verdict_test, a_result_never_hides_who_was_missing) {
  const auto flow = vote(R"(["yes", "also-yes", "broken"])");
  const auto text = run({"run", flow, "--run-id", "r1"});
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("completed, degraded"),
                    HasSubstr("broken is missing: AGENT_EXIT: agent 'broken' ended with status 3: out of order")));
  EXPECT_THAT(text.err, HasSubstr("degraded, 2 of 3 answered, broken missing (AGENT_EXIT)"));
  EXPECT_THAT(run({"runs"}).out, HasSubstr("completed, degraded"));
  const auto tasks = tasks_of("r1");
  EXPECT_EQ(tasks.at(2).state, task_state::failed);
  EXPECT_EQ(tasks.at(2).why->code, error_code::agent_exit);
}

TEST_F(verdict_test, the_error_of_a_failed_quorum_is_told_once) {
  const auto text = run({"run", vote(R"(["yes", "broken", "mute"])")}).out;
  EXPECT_THAT(text,
              AllOf(HasSubstr("QUORUM_NOT_MET in decide\n"), HasSubstr("vote  failed"), Not(HasSubstr("degraded"))));
  const auto first = text.find("out of order");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("out of order", first + 1), std::string::npos);
}

TEST_F(verdict_test, elements_are_voted_on_one_by_one) {
  const auto finding = [](int line, const char* message) {
    return R"({"file":"a.cpp","line":)" + std::to_string(line) + R"(,"message":")" + message + R"(","rule":"r"})";
  };
  const auto reviewer = [&](const std::string& name, const std::string& findings) {
    return "[agents." + name + "]\n" + scripted({"print", "{\"findings\":[" + findings + "]}"}) + "parse = 'json'\n";
  };
  write("troupe.toml",
        reviewer("a", finding(3, "null") + ',' + finding(9, "leak")) + reviewer("b", finding(3, "may be null")) +
            reviewer("c", finding(7, "unused")));
  write("review.toml", R"(
name = "review"
[[step]]
id = "findings"
agents = ["a", "b", "c"]
[step.consensus]
strategy = "vote"
vote_each = "/findings"
vote_by = ["/file", "/line"]
)");
  const auto text = run({"run", "review.toml"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("3 of 3 answered, 1 agreed, 2 in dissent"), HasSubstr("a.cpp:3: null (a, b)\n")));
  EXPECT_THAT(text.out, Not(HasSubstr("a.cpp:9")));
  EXPECT_THAT(
      run({"show", "last", "-v"}).out,
      AllOf(
          HasSubstr("not agreed on:\n"), HasSubstr("a.cpp:9: leak [r] (a)\n"), HasSubstr("a.cpp:7: unused [r] (c)\n")));
}

}  // namespace
}  // namespace troupe
