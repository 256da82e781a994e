// Gates as a file spells them: what is read, and what is refused.
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

// Column 7 is the first of `inside`.
std::string gate_text(const std::string& inside, const std::string& more = "") {
  return "name='x'\n[[step]]\nid='s'\ngate={" + inside + "}\n" + more;
}

std::string says(const std::string& inside, const std::string& more = "") {
  return joined(check_text(gate_text(inside, more)));
}

gate_policy read(const std::string& inside) {
  const auto loaded = parse_workflow(gate_text(inside), "f.toml", "/nowhere");
  EXPECT_NE(loaded.flow, nullptr) << joined(lines_of(loaded.problems));
  return loaded.flow == nullptr ? gate_policy{} : *loaded.flow->steps[0].gate;
}

TEST(WorkflowGates, of_one_level_have_its_keys_themselves) {
  const auto gate = read(
      "prompt='Merge?',votes=2,voters=['ann','bob','eve'],expires='24h',on_expiry='reject',action='/plan',"
      "approved_when={path='/risk',le=1}");
  ASSERT_EQ(gate.levels.size(), 1U);
  EXPECT_EQ(gate.levels[0].prompt, "Merge?");
  EXPECT_EQ(gate.levels[0].votes, 2);
  EXPECT_EQ(gate.levels[0].voters, (std::vector<std::string>{"ann", "bob", "eve"}));
  EXPECT_EQ(gate.levels[0].expires, milliseconds{24 * 3'600'000});
  EXPECT_EQ(gate.levels[0].on_expiry, expiry_policy::reject);
  EXPECT_FALSE(gate.levels[0].when.has_value());
  EXPECT_EQ(gate.action, "/plan");
  EXPECT_EQ(gate.approved_when->pointer, "/risk");
}

TEST(WorkflowGates, of_several_levels_have_them_in_order) {
  const auto gate = read(
      "levels=[{prompt='a',expires='1h',on_expiry='escalate'},{when={path='/cost',gt=5},prompt='b',voters=['ann']}]");
  ASSERT_EQ(gate.levels.size(), 2U);
  EXPECT_EQ(gate.levels[0].prompt, "a");
  EXPECT_EQ(gate.levels[0].on_expiry, expiry_policy::escalate);
  EXPECT_EQ(gate.levels[1].prompt, "b");
  EXPECT_EQ(gate.levels[1].when->pointer, "/cost");
  EXPECT_EQ(gate.levels[1].voters, std::vector<std::string>{"ann"});
}

TEST(WorkflowGates, ask_one_person_for_as_long_as_it_takes_unless_told_otherwise) {
  const auto gate = read("prompt='Merge?'");
  EXPECT_EQ(gate.levels[0].votes, 1);
  EXPECT_TRUE(gate.levels[0].voters.empty());
  EXPECT_FALSE(gate.levels[0].expires.has_value());
  EXPECT_EQ(gate.levels[0].on_expiry, expiry_policy::fail);
}

TEST(WorkflowGates, without_a_question_are_refused) {
  EXPECT_EQ(says(""),
            "4:6 error step[0].gate.prompt: 'prompt' is missing | say what is to be decided: prompt = \"Merge?\"\n");
  EXPECT_EQ(says("levels=[]"),
            "4:14 error step[0].gate.levels: 'levels' must be a list of tables, with at least one | write levels = [{ "
            "prompt = \"Merge?\" }]\n");
  EXPECT_EQ(says("levels=[{votes=1},3]"),
            "4:15 error step[0].gate.levels[0].prompt: 'prompt' is missing | say what is to be decided: prompt = "
            "\"Merge?\"\n4:25 error step[0].gate.levels[1]: 'levels[1]' must be a table; this is an integer\n");
}

TEST(WorkflowGates, ask_something_of_somebody) {
  EXPECT_EQ(says("prompt=''"),
            "4:14 error step[0].gate.prompt: 'prompt' is empty | say what is to be decided: prompt = \"Merge?\"\n");
  EXPECT_EQ(says("prompt='a',voters=[]"),
            "4:25 error step[0].gate.voters: 'voters' names nobody | leave it out, so that anybody may vote\n");
}

TEST(WorkflowGates, do_not_mix_levels_and_their_keys) {
  EXPECT_EQ(says("prompt='a',levels=[{prompt='b'}],votes=2"),
            "4:14 error step[0].gate.prompt: 'prompt' has no use beside 'levels' | write it into a level\n"
            "4:46 error step[0].gate.votes: 'votes' has no use beside 'levels' | write it into a level\n");
}

TEST(WorkflowGates, expire_only_where_they_say_when) {
  EXPECT_EQ(
      says("prompt='a',on_expiry='reject'"),
      "4:28 error step[0].gate.on_expiry: 'on_expiry' has no use without 'expires' | say when: expires = \"24h\"\n");
  EXPECT_EQ(says("prompt='a',expires='1h'"), "");
  EXPECT_EQ(says("prompt='a',expires='1h',on_expiry='excalate'"),
            "4:41 error step[0].gate.on_expiry: 'on_expiry' must be one of \"approve\", \"reject\", \"escalate\", "
            "\"fail\"; this is \"excalate\" | did you mean \"escalate\"?\n");
}

TEST(WorkflowGates, warn_of_an_escalation_that_leads_nowhere) {
  const std::string text =
      "there is no level behind this one to escalate to: when nobody decides in time, the step fails | add a level, or "
      "write on_expiry = \"fail\"\n";
  EXPECT_EQ(says("prompt='a',expires='1h',on_expiry='escalate'"), "4:41 warning step[0].gate.on_expiry: " + text);
  EXPECT_EQ(says("levels=[{prompt='a',expires='1h',on_expiry='escalate'},{prompt='b',expires='1h',on_expiry='escalate'"
                 "}]"),
            "4:97 warning step[0].gate.levels[1].on_expiry: " + text);
}

TEST(WorkflowGates, cannot_ask_for_more_votes_than_there_are_voters) {
  EXPECT_EQ(says("prompt='a',votes=3,voters=['ann','bob']"),
            "4:24 error step[0].gate.votes: 'votes' is 3, and 'voters' are 2: nobody votes twice, so it is never "
            "approved | lower 'votes', or add voters\n");
  EXPECT_EQ(says("prompt='a',votes=2,voters=['ann','bob']"), "");
  EXPECT_EQ(says("prompt='a',votes=0"), "4:24 error step[0].gate.votes: 'votes' must be from 1 to 1000; this is 0\n");
  EXPECT_EQ(says("levels=[{prompt='a',voters=['ann','ann']}]"),
            "4:34 error step[0].gate.levels[0].voters: 'ann' is named twice; everybody votes once | take one out\n");
  EXPECT_EQ(says("prompt='a',voters=['']"), "4:25 error step[0].gate.voters: 'voters' holds an empty name\n");
}

TEST(WorkflowGates, have_prompts_that_are_checked_at_each_level) {
  EXPECT_EQ(says("levels=[{prompt='{{run.id}}'},{prompt='{{state.zz}}'}]"),
            "4:46 error step[0].gate.levels[1].prompt: '{{state.zz}}': there is no field 'zz' | known: s\n");
  EXPECT_EQ(says("prompt='{{inputs.zz}}'"),
            "4:15 error step[0].gate.prompt: '{{inputs.zz}}': there is no input 'zz' | declare it: [inputs.zz]\n");
}

TEST(WorkflowGates, look_at_fields_that_somebody_writes) {
  const std::string hint = " | declare it: [state.zz]; a step writes its result to the field of its 'output'\n";
  EXPECT_EQ(says("prompt='a',action='/zz/diff'"),
            "4:25 error step[0].gate.action: '/zz/diff': there is no field 'zz'" + hint);
  EXPECT_EQ(says("prompt='a',approved_when={path='/zz',eq=1}"),
            "4:38 warning step[0].gate.approved_when.path: '/zz': there is no field 'zz'" + hint);
  EXPECT_EQ(says("levels=[{prompt='a',when={path='/zz',eq=1}}]"),
            "4:38 warning step[0].gate.levels[0].when.path: '/zz': there is no field 'zz'" + hint);
  EXPECT_EQ(says("prompt='a',action='/files',approved_when={path='/files',exists=true}", "[state.files]\n"), "");
}

TEST(WorkflowGates, have_no_use_for_what_executors_have) {
  EXPECT_EQ(
      says("prompt='a'", "prompt='b'\ntimeout='1m'\nretry={}\non_crash='ask'\neffects='none'\nconsensus={}\n"),
      "5:8 error step[0].prompt: 'prompt' has no use at a gate | what is asked stands in the gate: gate = { prompt "
      "= \"...\" }\n"
      "6:9 error step[0].timeout: 'timeout' has no use at a gate | a gate has 'expires'\n"
      "7:7 error step[0].retry: 'retry' has no use at a gate | take it out\n"
      "8:10 error step[0].on_crash: 'on_crash' has no use at a gate | take it out: a gate is asked once, whatever "
      "happens\n"
      "9:9 error step[0].effects: 'effects' has no use at a gate | take it out\n"
      "10:11 error step[0].consensus: 'consensus' has no use at a gate | a gate has 'votes'\n");
  EXPECT_EQ(says("prompt='a'", "agent='a'\n"),
            "2:1 error step[0]: step 's' has several kinds of executor | write exactly one of agent, agents, function, "
            "gate, map\n");
}

}  // namespace
}  // namespace troupe::test
