// One mistake each in how several agents come to one result.
#include "tests/config/mistakes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

// Each is the inside of `consensus = {...}` of a step of the agents a and b; column 12 is the first of it.
void expect_of_consensus(const std::vector<mistake>& mistakes, const std::string& more = "") {
  for (const auto& each : mistakes) {
    SCOPED_TRACE(each.name);
    const std::string text =
        "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={" + std::string{each.text} + "}\n";
    EXPECT_EQ(joined(check_text(text + more)), joined(each.says));
  }
}

TEST(ConsensusMistakes, in_consensus) {
  expect_says({
      {"quorum out of range",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={quorum=3}\n[[step]]\nid='t'\nagent='a'\n"
       "consensus={quorum=0}\n",
       {"5:19 error step[0].consensus.quorum: 'quorum' must be from 1 to 2: the step has 2 agents; this is 3",
        "7:4 error step[1].id: step 't' cannot be reached from 's' | name it in 'next' of a step that is reached, or "
        "take "
        "it out",
        "9:19 error step[1].consensus.quorum: 'quorum' must be from 1 to 1000; this is 0"}},
      {"unknown strategy",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={strategy='votes',vote_on='/x'}\n",
       {"5:21 error step[0].consensus.strategy: 'strategy' must be one of \"collect\", \"race\", \"vote\", "
        "\"aggregate\"; "
        "this is \"votes\" | did you mean \"vote\"?"}},
      {"a pointer that is none",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={strategy='vote',vote_on='decision'}\n",
       {"5:36 error step[0].consensus.vote_on: 'vote_on' is 'decision', which is not a JSON pointer | a JSON pointer "
        "is "
        "empty or starts with '/', as \"/answer/value\"; '~' is written ~0, '/' ~1"}},
      {"a vote key without a vote",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={vote_on='/x'}\n",
       {"5:20 error step[0].consensus.vote_on: 'vote_on' has no use without strategy = \"vote\" | set strategy = "
        "\"vote\", "
        "or take it out"}},
      {"whole answers and elements",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={strategy='vote',vote_on='/x',vote_each='/y'}\n",
       {"5:51 error step[0].consensus.vote_each: 'vote_each' and 'vote_on' are both there: answers are voted on whole "
        "or "
        "element by element | take one of them out"}},
      {"vote_by alone",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={strategy='vote',vote_by=['/f']}\n",
       {"5:36 error step[0].consensus.vote_by: 'vote_by' has no use without 'vote_each' | name the list whose elements "
        "are "
        "compared: vote_each = \"/findings\""}},
      {"vote_by that is no list of pointers",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nconsensus={strategy='vote',vote_each='/f',vote_by=['file']}\n",
       {"5:52 error step[0].consensus.vote_by[0]: 'vote_by[0]' is 'file', which is not a JSON pointer | a JSON pointer "
        "is "
        "empty or starts with '/', as \"/answer/value\"; '~' is written ~0, '/' ~1"}},
  });
}

TEST(ConsensusMistakes, in_how_many_answers_are_enough) {
  expect_of_consensus({
      {"as many as there are", "quorum=2,min_answers=1,retry_degraded=0", {}},
      {"an emergency that is none",
       "quorum=1,min_answers=1",
       {"5:33 error step[0].consensus.min_answers: 'min_answers' has no use unless it is less than the quorum, which "
        "is "
        "1 | take it out"}},
      {"an emergency of all",
       "min_answers=2",
       {"5:24 error step[0].consensus.min_answers: 'min_answers' has no use unless it is less than the quorum, which "
        "is "
        "2 | take it out"}},
      {"an emergency of more than all",
       "min_answers=3",
       {"5:24 error step[0].consensus.min_answers: 'min_answers' must be from 1 to 2: the step has 2 agents; this is "
        "3"}},
      {"an emergency of nobody",
       "min_answers=0",
       {"5:24 error step[0].consensus.min_answers: 'min_answers' must be from 1 to 1000; this is 0"}},
      {"too many tries",
       "retry_degraded=11",
       {"5:27 error step[0].consensus.retry_degraded: 'retry_degraded' must be from 0 to 10; this is 11"}},
      {"fewer tries than none",
       "retry_degraded=-1",
       {"5:27 error step[0].consensus.retry_degraded: 'retry_degraded' must be from 0 to 10; this is -1"}},
  });
}

TEST(ConsensusMistakes, in_races) {
  expect_of_consensus({
      {"a race", "strategy='race'", {}},
      {"a race that says what is so anyway", "strategy='race',quorum=1", {}},
      {"a race of two winners",
       "strategy='race',quorum=2",
       {"5:35 error step[0].consensus.quorum: 'quorum' of a race is 1: the first answer wins; this is 2 | take it "
        "out"}},
      {"a race with an emergency",
       "strategy='race',min_answers=1",
       {"5:40 error step[0].consensus.min_answers: 'min_answers' has no use in a race: one answer is enough | take it "
        "out"}},
      {"a race that waits for the slow",
       "strategy='race',retry_degraded=1",
       {"5:43 error step[0].consensus.retry_degraded: 'retry_degraded' has no use in a race: nobody is waited for "
        "after "
        "the first answer | take it out"}},
      {"a race that votes",
       "strategy='race',vote_on='/x'",
       {"5:36 error step[0].consensus.vote_on: 'vote_on' has no use without strategy = \"vote\" | set strategy = "
        "\"vote\", or take it out"}},
  });
}

TEST(ConsensusMistakes, in_aggregates) {
  expect_of_consensus({
      {"an aggregate", "strategy='aggregate',aggregator='c',prompt='{{outputs}}',required=['/x']", {}},
      {"one that nobody makes",
       "strategy='aggregate'",
       {"5:11 error step[0].consensus.aggregator: 'aggregator' is missing: the agent that brings the others' answers "
        "together | add aggregator = \"claude\"; it is not one of the step's agents"}},
      {"one of its own agents",
       "strategy='aggregate',aggregator='b'",
       {"5:44 error step[0].consensus.aggregator: agent 'b' gives an answer of this step itself; the aggregator is "
        "another one | take it out of 'agents', or name another aggregator"}},
      {"an unknown agent",
       "strategy='aggregate',aggregator='cluade'",
       {"5:44 error step[0].consensus.aggregator: there is no agent 'cluade' | did you mean 'claude'?"}},
      {"a name that no agent can have",
       "strategy='aggregate',aggregator='C'",
       {"5:44 error step[0].consensus.aggregator: 'aggregator' is 'C', which cannot be the name of an agent | " +
        name_rule_text}},
      {"keys of an aggregate alone",
       "strategy='vote',aggregator='c',prompt='{{outputs}}',required=['/x']",
       {"5:39 error step[0].consensus.aggregator: 'aggregator' has no use without strategy = \"aggregate\" | set "
        "strategy = \"aggregate\", or take it out",
        "5:50 error step[0].consensus.prompt: 'prompt' has no use without strategy = \"aggregate\" | set strategy = "
        "\"aggregate\", or take it out",
        "5:73 error step[0].consensus.required: 'required' has no use without strategy = \"aggregate\" | set strategy "
        "= "
        "\"aggregate\", or take it out"}},
      {"pointers that are none",
       "strategy='aggregate',aggregator='c',required=['x']",
       {"5:58 error step[0].consensus.required[0]: 'required[0]' is 'x', which is not a JSON pointer | a JSON pointer "
        "is "
        "empty or starts with '/', as \"/answer/value\"; '~' is written ~0, '/' ~1"}},
      {"an unknown strategy hides what depends on it",
       "strategy='aggregat',aggregator='c',prompt='x',required=['/x']",
       {"5:21 error step[0].consensus.strategy: 'strategy' must be one of \"collect\", \"race\", \"vote\", "
        "\"aggregate\"; this is \"aggregat\" | did you mean \"aggregate\"?"}},
  });
}

TEST(ConsensusMistakes, in_prompts_of_aggregators) {
  expect_of_consensus({
      {"all that it may name",
       "strategy='aggregate',aggregator='c',prompt='{{ outputs }} {{state.s}} {{run.id}} {{step.id}}'",
       {}},
      {"no answers",
       "strategy='aggregate',aggregator='c',prompt='Well?'",
       {"5:55 warning step[0].consensus.prompt: the aggregator does not get to see the answers: its prompt has no "
        "{{outputs}} | write {{outputs}} where they belong"}},
      {"a part of the answers",
       "strategy='aggregate',aggregator='c',prompt='{{outputs}} {{outputs.a}} {{output}}'",
       {"5:68 error step[0].consensus.prompt: '{{outputs.a}}' is an unknown name | did you mean '{{outputs}}'?",
        "5:82 error step[0].consensus.prompt: '{{output}}' is an unknown name | did you mean '{{outputs}}'?"}},
  });
  expect_says({
      {"the answers elsewhere",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b']\nprompt='{{outputs}}'\n",
       {"5:9 error step[0].prompt: '{{outputs}}' is an unknown name | the prompt of an aggregator has it; elsewhere a "
        "step's result is {{state.NAME}}"}},
  });
}

TEST(ConsensusMistakes, in_deadlines) {
  expect_of_consensus({
      {"both", "quorum=1,soft_deadline='1s',hard_deadline='2s'", {}},
      {"in the wrong order",
       "quorum=1,soft_deadline='2s',hard_deadline='2s'",
       {"5:35 error step[0].consensus.soft_deadline: 'soft_deadline' (2s) must be less than 'hard_deadline' (2s)"}},
      {"no time at all",
       "hard_deadline='0s'",
       {"5:26 error step[0].consensus.hard_deadline: 'hard_deadline' must be a duration from 1ms to 36500d; this is "
        "\"0s\""}},
      {"a soft one that waits for all",
       "soft_deadline='1s'",
       {"5:26 warning step[0].consensus.soft_deadline: 'soft_deadline' has no use: the quorum is all 2 agents, so all "
        "are waited for | lower 'quorum', or set 'hard_deadline'"}},
      {"a soft one of a race",
       "strategy='race',soft_deadline='1s'",
       {"5:42 warning step[0].consensus.soft_deadline: 'soft_deadline' has no use in a race: the first answer ends it "
        "| "
        "take it out, or set 'hard_deadline'"}},
  });
  expect_of_consensus(
      {
          {"a hard one before the timeout",
           "hard_deadline='1s'",
           {"6:9 warning step[0].timeout: 'timeout' (1s) never passes: 'hard_deadline' (1s) comes first | shorten it, "
            "or "
            "take it out"}},
          {"a timeout before both", "quorum=1,soft_deadline='2s',hard_deadline='3s'", {}},
      },
      "timeout='1s'\n");
  expect_says({
      {"longer than the run",
       "name='x'\nlimits.wall_clock='1m'\n[[step]]\nid='s'\nagent='a'\nconsensus={hard_deadline='2m'}\n",
       {"6:26 warning step[0].consensus.hard_deadline: 'hard_deadline' (2m) is longer than limits.wall_clock (1m), "
        "which "
        "ends the whole run | shorten it, or give the run more time"}},
  });
}

}  // namespace
}  // namespace troupe::test
