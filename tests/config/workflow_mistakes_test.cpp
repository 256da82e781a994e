// One mistake each: what it says, where, and what would be right.
#include "tests/config/mistakes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

const std::string field_rule_text = "a field has 1 to 64 characters of a-z, A-Z, 0-9, '_' and '-'";
const std::string duration_form = "write a whole number and a unit: \"250ms\", \"5s\", \"10m\", \"24h\", \"90d\"";
const std::string step_form = "write [[step]] on a line of its own, and the step's keys below";
const std::string next_forms =
    "write next = \"b\", next = [\"b\", \"c\"] or next = [{ to = \"b\", when = {...} }, { to = \"c\" }]";

TEST(WorkflowMistakes, in_the_head) {
  expect_says({
      {"not TOML",
       "name = \"x\"\n[[step\n",
       {"2:7 error : this is not TOML: Error while parsing table header: expected ']', saw '\\n' | the format is "
        "described "
        "at https://toml.io/en/v1.0.0"}},
      {"no name",
       "[[step]]\nid='s'\nagent='a'\n",
       {"1:1 error name: 'name' is missing | add name = \"review\"; " + name_rule_text}},
      {"bad name",
       "name='My Flow'\n[[step]]\nid='s'\nagent='a'\n",
       {"1:6 error name: 'name' is 'My Flow', which cannot be the name of a workflow | " + name_rule_text}},
      {"name of another type",
       "name=3\n[[step]]\nid='s'\nagent='a'\n",
       {"1:6 error name: 'name' must be a string; this is 3"}},
      {"version of another type",
       "name='x'\nversion='3'\n[[step]]\nid='s'\nagent='a'\n",
       {"2:9 error version: 'version' must be an integer, at least 0; this is \"3\""}},
      {"unknown table",
       "name='x'\n[limit]\nmax_steps=1\n[[step]]\nid='s'\nagent='a'\n",
       {"2:2 error limit: unknown key 'limit' | did you mean 'limits'?"}},
      {"steps for step",
       "name='x'\n[[steps]]\nid='s'\nagent='a'\n",
       {"1:1 error step: 'step' is missing | a workflow has at least one step: " + step_form,
        "2:3 error steps: unknown key 'steps' | did you mean 'step'?"}},
      {"step as a table",
       "name='x'\n[step]\nid='s'\nagent='a'\n",
       {"2:1 error step: 'step' must be a list of tables; this is a table | " + step_form}},
      {"no step in the list",
       "name='x'\nstep=[]\n",
       {"2:6 error step: 'step' is empty: a workflow has at least one step | " + step_form}},
      {"a step that is no table",
       "name='x'\nstep=[3]\n",
       {"2:7 error step[0]: 'step[0]' must be a table; this is an integer"}},
      {"start that is not there",
       "name='x'\nstart='serve'\n[[step]]\nid='survey'\nagent='a'\n",
       {"2:7 error start: 'start' names the step 'serve', which is not there | did you mean 'survey'?"}},
      {"start that is no name",
       "name='x'\nstart=''\n[[step]]\nid='survey'\nagent='a'\n",
       {"2:7 error start: 'start' is '', which cannot be the id of a step | " + name_rule_text}},
  });
}

TEST(WorkflowMistakes, in_limits) {
  expect_says({
      {"out of range",
       "name='x'\n[limits]\nmax_concurrent=0\nmax_steps=-1\nwall_clock='0s'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:16 error limits.max_concurrent: 'max_concurrent' must be from 1 to 100000; this is 0",
        "4:11 error limits.max_steps: 'max_steps' must be at least 0; this is -1",
        "5:12 error limits.wall_clock: 'wall_clock' must be a duration from 1ms to 36500d; this is \"0s\""}},
      {"wrong types",
       "name='x'\n[limits]\nmax_concurrent='8'\nmax_steps=1.5\nwall_clock=10\n[[step]]\nid='s'\nagent='a'\n",
       {"3:16 error limits.max_concurrent: 'max_concurrent' must be an integer, from 1 to 100000; this is \"8\"",
        "4:11 error limits.max_steps: 'max_steps' must be an integer, at least 0; this is 1.5",
        "5:12 error limits.wall_clock: 'wall_clock' must be a duration with a unit; this is 10 | " + duration_form}},
      {"duration without a unit",
       "name='x'\n[limits]\nwall_clock='10 min'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:12 error limits.wall_clock: 'wall_clock' is not a duration: \"10 min\" | " + duration_form}},
      {"unknown limit",
       "name='x'\n[limits]\nwallclock='10m'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:1 error limits.wallclock: unknown key 'wallclock' in 'limits' | did you mean 'wall_clock'?"}},
      {"budgets out of range",
       "name='x'\n[limits]\nbudget_usd=-1\nbudget_tokens=0\nbudget_time='0s'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:12 error limits.budget_usd: 'budget_usd' must be a number from 0 to 1000000000; this is -1",
        "4:15 error limits.budget_tokens: 'budget_tokens' must be at least 1; this is 0",
        "5:13 error limits.budget_time: 'budget_time' must be a duration from 1ms to 36500d; this is \"0s\""}},
      {"limits as a number",
       "name='x'\nlimits=3\n[[step]]\nid='s'\nagent='a'\n",
       {"2:8 error limits: 'limits' must be a table; this is an integer"}},
  });
}

TEST(WorkflowMistakes, in_inputs_and_state) {
  expect_says({
      {"input that is no table",
       "name='x'\ninputs.topic='cats'\n[[step]]\nid='s'\nagent='a'\n",
       {"2:14 error inputs.topic: 'topic' must be a table; this is a string"}},
      {"input with a bad name",
       "name='x'\n[inputs.\"my topic\"]\n[[step]]\nid='s'\nagent='a'\n",
       {"2:9 error inputs.my topic: 'my topic' cannot be the name of a field | " + field_rule_text}},
      {"required and default",
       "name='x'\n[inputs.t]\nrequired=true\ndefault=1\n[[step]]\nid='s'\nagent='a'\n",
       {"4:9 error inputs.t.default: 'default' has no use: the input is required | take out 'default' or 'required'"}},
      {"unknown key of an input",
       "name='x'\n[inputs.t]\nrequire=true\n[[step]]\nid='s'\nagent='a'\n",
       {"3:1 error inputs.t.require: unknown key 'require' in 'inputs.t' | did you mean 'required'?"}},
      {"default that JSON does not have",
       "name='x'\n[inputs.t]\ndefault=[1,{a=inf}]\n[[step]]\nid='s'\nagent='a'\n",
       {"3:15 error inputs.t.default: JSON has no number 'inf'"}},
      {"unknown reducer",
       "name='x'\n[state.f]\nreduce='appand'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:8 error state.f.reduce: 'reduce' must be one of \"fail\", \"last\", \"append\", \"union\", \"sum\", "
        "\"min\", "
        "\"max\", \"merge\"; this is \"appand\" | did you mean \"append\"?"}},
      {"initial that the reducer cannot take",
       "name='x'\n[state.l]\ninitial='x'\nreduce='append'\n[state.n]\ninitial='1'\nreduce='sum'\n[state.o]\ninitial=[]"
       "\n"
       "reduce='merge'\n[[step]]\nid='s'\nagent='a'\n",
       {"3:9 error state.l.initial: 'initial' must be a list: the field is reduced by \"append\"",
        "6:9 error state.n.initial: 'initial' must be a number: the field is reduced by \"sum\"",
        "9:9 error state.o.initial: 'initial' must be a table: the field is reduced by \"merge\""}},
      {"unknown key of a field",
       "name='x'\n[state.f]\ninital=[]\n[[step]]\nid='s'\nagent='a'\n",
       {"3:1 error state.f.inital: unknown key 'inital' in 'state.f' | did you mean 'initial'?"}},
  });
}

TEST(WorkflowMistakes, in_ids_and_edges) {
  expect_says({
      {"no id",
       "name='x'\n[[step]]\nagent='a'\n",
       {"2:1 error step[0].id: 'id' is missing | add id = \"survey\"; " + name_rule_text}},
      {"empty id",
       "name='x'\n[[step]]\nid=''\nagent='a'\n",
       {"3:4 error step[0].id: 'id' is '', which cannot be the id of a step | " + name_rule_text}},
      {"bad id",
       "name='x'\n[[step]]\nid='Survey!'\nagent='a'\n",
       {"3:4 error step[0].id: 'id' is 'Survey!', which cannot be the id of a step | " + name_rule_text}},
      {"the same id twice",
       "name='x'\n[[step]]\nid='s'\nagent='a'\n[[step]]\nid='s'\nagent='b'\n",
       {"6:4 error step[1].id: there is a step 's' already, in line 2 | give each step an id of its own"}},
      {"targets that are not there",
       "name='x'\n[[step]]\nid='survey'\nagent='a'\nnext=['plan','plam']\n[[step]]\nid='plan'\nagent='a'\nnext='sruvey'"
       "\n",
       {"5:14 error step[0].next[1]: 'next' names the step 'plam', which is not there | did you mean 'plan'?",
        "9:6 error step[1].next[0]: 'next' names the step 'sruvey', which is not there | did you mean 'survey'?"}},
      {"a target named twice",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['t','t']\n[[step]]\nid='t'\nagent='a'\n",
       {"5:11 warning step[0].next[1]: 'next' names the step 't' twice; it runs once | take one out"}},
      {"next of another type",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=3\n",
       {"5:6 error step[0].next: 'next' must be a step or a list; this is an integer | " + next_forms}},
      {"a target that is no name",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['B']\n",
       {"5:7 error step[0].next[0]: 'next[0]' is 'B', which cannot be the id of a step | " + name_rule_text}},
      {"a step that cannot be reached",
       "name='x'\n[[step]]\nid='s'\nagent='a'\n[[step]]\nid='t'\nagent='a'\nnext='s'\n",
       {"6:4 error step[1].id: step 't' cannot be reached from 's' | name it in 'next' of a step that is reached, or "
        "take "
        "it out"}},
  });
}

TEST(WorkflowMistakes, in_loops) {
  expect_says({
      {"a loop that nothing ends",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\nid='t'\nagent='a'\nnext=['s','u']\n[[step]]\nid='u'"
       "\n"
       "agent='a'\n",
       {"5:6 warning step[0].next: the loop of 's', 't' never ends: each of its routes is always taken | add max_steps "
        "or "
        "wall_clock to [limits]"}},
      {"a step that follows itself",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext='s'\n",
       {"5:6 warning step[0].next: the loop of 's' never ends: each of its routes is always taken | add max_steps or "
        "wall_clock to [limits]"}},
      {"a loop that a condition can end",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\nid='t'\nagent='a'\nnext=[{to='s',when={path='/"
       "t',eq=1}}]\n",
       {"5:6 warning step[0].next: the loop of 's', 't' has no limit | add max_steps or wall_clock to [limits]"}},
      {"a loop with a limit of steps", "name='x'\nlimits.max_steps=9\n[[step]]\nid='s'\nagent='a'\nnext='s'\n", {}},
      {"a loop with a limit of time", "name='x'\nlimits.wall_clock='9s'\n[[step]]\nid='s'\nagent='a'\nnext='s'\n", {}},
      {"a loop with a limit of money", "name='x'\nlimits.budget_usd=1\n[[step]]\nid='s'\nagent='a'\nnext='s'\n", {}},
      {"a loop with a limit of money, and of nothing that costs any",
       "name='x'\nlimits.budget_usd=1\n[[step]]\nid='s'\nfunction='probe.echo'\nnext='s'\n",
       {"6:6 warning step[0].next: the loop of 's' never ends: each of its routes is always taken | add max_steps or "
        "wall_clock to [limits]"}},
      {"a loop with a limit of money, and a function of the host that may use it up",
       "name='x'\nlimits.budget_usd=1\n[[step]]\nid='s'\nfunction='merge_branches'\nnext='s'\n",
       {}},
      {"a loop with a limit of tokens",
       "name='x'\nlimits.budget_tokens=1000\n[[step]]\nid='s'\nagent='a'\nnext='s'\n",
       {}},
      {"a loop with a limit of the time of attempts",
       "name='x'\nlimits.budget_time='1h'\n[[step]]\nid='s'\nagent='a'\nnext='s'\n",
       {}},
      {"a loop through a gate, which may be rejected",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\nid='t'\ngate={prompt='Again?'}\nnext='s'\n",
       {"5:6 warning step[0].next: the loop of 's', 't' has no limit | add max_steps or wall_clock to [limits]"}},
      {"a loop through a function, which may go elsewhere",
       "name='x'\n[[step]]\nid='s'\nfunction='merge_branches'\nnext='s'\n",
       {"5:6 warning step[0].next: the loop of 's' has no limit | add max_steps or wall_clock to [limits]"}},
      {"a loop through a join, which may wait",
       "name='x'\n[[step]]\nid='r'\nagent='a'\nnext=['s','u']\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\n"
       "id='t'\nagent='a'\njoin=['s','u']\nnext='s'\n[[step]]\nid='u'\nagent='a'\n",
       {"9:6 warning step[1].next: the loop of 's', 't' has no limit | add max_steps or wall_clock to [limits]"}},
      {"a step that is repeated as long as it fails",
       "name='x'\n[[step]]\nid='s'\nagent='a'\non_error='s'\n",
       {"5:10 warning step[0].on_error: the loop of 's' has no limit | add max_steps or wall_clock to [limits]"}},
      {"a loop that a probe chooses",
       "name='x'\n[[step]]\nid='s'\nfunction='probe.route'\nargs={to='s'}\n",
       {"5:6 warning step[0].args: the loop of 's' never ends: each of its routes is always taken | add max_steps or "
        "wall_clock to [limits]"}},
      {"two loops",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['s','t']\n[[step]]\nid='t'\nagent='a'\nnext='t'\n",
       {"5:6 warning step[0].next: the loop of 's' never ends: each of its routes is always taken | add max_steps or "
        "wall_clock to [limits]",
        "9:6 warning step[1].next: the loop of 't' never ends: each of its routes is always taken | add max_steps or "
        "wall_clock to [limits]"}},
  });
}

TEST(WorkflowMistakes, in_executors) {
  expect_says({
      {"none",
       "name='x'\n[[step]]\nid='s'\n",
       {"2:1 error step[0]: step 's' says nothing of who carries it out | write exactly one of agent, agents, "
        "function, gate, map"}},
      {"several kinds",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nfunction='probe.echo'\n",
       {"2:1 error step[0]: step 's' has several kinds of executor | write exactly one of agent, agents, function, "
        "gate, map"}},
      {"agent and agents",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nagents=['b']\n",
       {"5:8 error step[0].agents: 'agents' is there, and 'agent' too | write one of them"}},
      {"misspelt: one error, not two",
       "name='x'\n[[step]]\nid='s'\nagnet='a'\n",
       {"4:1 error step[0].agnet: unknown key 'agnet' in 'step[0]' | did you mean 'agent'?"}},
      {"unknown agents",
       "name='x'\n[[step]]\nid='s'\nagents=['cluade','zzz']\n",
       {"4:9 error step[0].agents[0]: there is no agent 'cluade' | did you mean 'claude'?",
        "4:18 error step[0].agents[1]: there is no agent 'zzz' | known: a, b, c, claude, remote"}},
      {"an unknown single agent",
       "name='x'\n[[step]]\nid='s'\nagent='cluade'\n",
       {"4:7 error step[0].agent: there is no agent 'cluade' | did you mean 'claude'?"}},
      {"the same agent twice",
       "name='x'\n[[step]]\nid='s'\nagents=['a','b','a']\n",
       {"4:17 error step[0].agents[2]: agent 'a' is named twice; each agent answers once | take one out"}},
      {"no agents in the list",
       "name='x'\n[[step]]\nid='s'\nagents=[]\n",
       {"4:8 error step[0].agents: 'agents' must be a list of names of agents, with at least one"}},
      {"a name that no agent can have",
       "name='x'\n[[step]]\nid='s'\nagent='Claude'\n",
       {"4:7 error step[0].agent: 'agent' is 'Claude', which cannot be the name of an agent | " + name_rule_text}},
      {"an unknown function",
       "name='x'\n[[step]]\nid='s'\nfunction='probe.ech'\n",
       {"4:10 error step[0].function: there is no function 'probe.ech' | did you mean 'probe.echo'?"}},
      {"args without a function",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nargs={}\n",
       {"5:6 error step[0].args: 'args' has no use without 'function' | take it out, or name the function"}},
      {"args of another type",
       "name='x'\n[[step]]\nid='s'\nfunction='probe.echo'\nargs=[{},3]\n",
       {"5:6 error step[0].args: 'args' must be a table or a list of tables"}},
      {"a consensus for a function",
       "name='x'\n[[step]]\nid='s'\nfunction='probe.echo'\nconsensus={}\n",
       {"5:11 error step[0].consensus: 'consensus' has no use: a function answers alone | take it out"}},
      {"an output that no field can be",
       "name='x'\n[[step]]\nid='s'\nagent='a'\noutput='a b'\n",
       {"5:8 error step[0].output: 'output' is 'a b', which cannot be the name of a field | " + field_rule_text}},
      {"a timeout longer than the run",
       "name='x'\nlimits.wall_clock='1m'\n[[step]]\nid='s'\nagent='a'\ntimeout='2m'\n",
       {"6:9 warning step[0].timeout: 'timeout' (2m) is longer than limits.wall_clock (1m), which ends the whole run | "
        "shorten it, or give the run more time"}},
  });
}

TEST(WorkflowMistakes, in_retries) {
  expect_says({
      {"a retry out of range",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nretry={max_attempts=0,initial='2s',max='1s',multiplier=0.5,jitter=2}\n",
       {"5:21 error step[0].retry.max_attempts: 'max_attempts' must be from 1 to 1000; this is 0",
        "5:40 error step[0].retry.max: 'max' is less than 'initial', which is 2s",
        "5:56 error step[0].retry.multiplier: 'multiplier' must be a number from 1 to 1000; this is 0.5",
        "5:67 error step[0].retry.jitter: 'jitter' must be a number from 0 to 1; this is 2"}},
      {"a retry as it should be",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nretry={max_attempts=3,initial='1s',max='16s',multiplier=2.0,jitter=0.5}"
       "\n",
       {}},
  });
}

TEST(WorkflowMistakes, in_fields_that_two_steps_write) {
  const char* const fork =
      "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['p','q']\n[[step]]\nid='p'\nagent='a'\noutput='both'\n[[step]]\n"
      "id='q'\nagent='a'\noutput='both'\n";
  expect_says({
      {"in one superstep",
       fork,
       {"13:8 warning step[2].output: steps 'p' and 'q' both write the field 'both' in one superstep: MERGE_CONFLICT | "
        "give "
        "each an output of its own, or declare [state.both] with reduce = \"append\" or another reducer that takes "
        "several values"}},
      {"one after the other",
       "name='x'\n[[step]]\nid='p'\nagent='a'\noutput='both'\nnext='q'\n[[step]]\nid='q'\nagent='a'\noutput='both'\n",
       {}},
      {"probes",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['p','q']\n[[step]]\nid='p'\nfunction='probe.set'\n"
       "args={field='f',value=1}\n[[step]]\nid='q'\nfunction='probe.set'\nargs=[{field='g'},{field='f'}]\n",
       {"13:6 warning step[2].args: steps 'p' and 'q' both write the field 'f' in one superstep: MERGE_CONFLICT | give "
        "each an output of its own, or declare [state.f] with reduce = \"append\" or another reducer that takes "
        "several "
        "values"}},
  });
  EXPECT_EQ(joined(check_text(std::string{fork} + "[state.both]\nreduce='append'\n")), "");
  // What may not be in one superstep is not said to be: a gate decides when it does, a function goes where it wants.
  for (const char* first : {"gate={prompt='?'}", "function='merge_branches'"}) {
    std::string text = fork;
    EXPECT_EQ(joined(check_text(text.replace(text.find("agent='a'"), 9, first))), "") << first;
  }
}

TEST(WorkflowMistakes, in_fields_that_probes_add_to) {
  const auto probe = [](const std::string& name, const std::string& state) {
    return "name='x'\n" + state + "[[step]]\nid='s'\nfunction='" + name + "'\nargs={field='f',value=1}\n";
  };
  const auto says = [&](const std::string& name, const std::string& state) {
    return joined(check_text(probe(name, state)));
  };
  const std::string or_set = ", or call probe.set\n";
  EXPECT_EQ(says("probe.append", "state.f={reduce='append'}\n"), "");
  EXPECT_EQ(says("probe.append", "state.f={reduce='union'}\n"), "");
  EXPECT_EQ(says("probe.add", "state.f={reduce='sum'}\n"), "");
  EXPECT_EQ(says("probe.set", "state.f={reduce='last'}\n"), "");
  EXPECT_EQ(says("probe.append", ""),
            "5:6 error step[0].args: 'probe.append' adds an element to the field 'f', which is not declared and so "
            "reduced by \"fail\" | declare [state.f] with reduce = \"append\"" +
                or_set);
  EXPECT_EQ(says("probe.add", "state.f={}\n"),
            "6:6 error step[0].args: 'probe.add' adds a number to the field 'f', which is reduced by \"fail\" | set "
            "reduce = \"sum\" in [state.f]" +
                or_set);
  for (const char* reduce : {"last", "sum", "min", "max", "merge"}) {
    EXPECT_NE(says("probe.append", std::string{"state.f={reduce='"} + reduce + "'}\n"), "") << reduce;
  }
  for (const char* reduce : {"last", "append", "union", "min", "max", "merge"}) {
    EXPECT_NE(says("probe.add", std::string{"state.f={reduce='"} + reduce + "'}\n"), "") << reduce;
  }
  EXPECT_EQ(check_text(probe("probe.append", "state.f={reduce='appand'}\n")).size(), 1U);
  EXPECT_EQ(joined(check_text("name='x'\nstate.n={reduce='sum'}\n[[step]]\nid='s'\nfunction='probe.add'\n"
                              "args=[{field='n',value=1},{field='m',value=1},{field='m',value=2}]\n")),
            "6:6 error step[0].args: 'probe.add' adds a number to the field 'm', which is not declared and so reduced "
            "by \"fail\" | declare [state.m] with reduce = \"sum\"" +
                or_set);
}

TEST(WorkflowMistakes, in_prompts) {
  const std::string close = "close it with '}}', or write '{{{{' for a literal '{{'";
  const std::string form = "write a name like {{inputs.topic}}: words joined by dots; or '{{{{' for a literal '{{'";
  expect_says({
      {"unknown input",
       "name='x'\ninputs.topic={}\n[[step]]\nid='s'\nagent='a'\nprompt='{{inputs.topic}} of {{inputs.topc}}'\n",
       {"6:29 error step[0].prompt: '{{inputs.topc}}': there is no input 'topc' | did you mean 'topic'?"}},
      {"no inputs at all",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='{{inputs.topic}}'\n",
       {"5:9 error step[0].prompt: '{{inputs.topic}}': there is no input 'topic' | declare it: [inputs.topic]"}},
      {"unknown field",
       "name='x'\nstate.findings={}\n[[step]]\nid='s'\nagent='a'\nprompt='{{state.finding.0}}'\n",
       {"6:9 error step[0].prompt: '{{state.finding.0}}': there is no field 'finding' | did you mean 'findings'?"}},
      {"a field that a function may write",
       "name='x'\n[[step]]\nid='s'\nfunction='merge_branches'\nnext='t'\n[[step]]\nid='t'\nagent='a'\n"
       "prompt='{{state.merged}}'\n",
       {"9:9 warning step[1].prompt: '{{state.merged}}': there is no field 'merged' | known: s, t"}},
      {"the output of a probe that writes another field",
       "name='x'\n[[step]]\nid='s'\nfunction='probe.set'\nargs={field='f',value=1}\nnext='t'\n[[step]]\nid='t'\n"
       "agent='a'\nprompt='{{state.f}} {{state.s}}'\n",
       {"10:21 error step[1].prompt: '{{state.s}}': there is no field 's' | known: f, t"}},
      {"names without a member",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='{{inputs}} {{state}}'\n",
       {"5:9 error step[0].prompt: '{{inputs}}' names no input | write {{inputs.NAME}}",
        "5:20 error step[0].prompt: '{{state}}' names no field | write {{state.NAME}}"}},
      {"unknown names",
       "name='x'\ninputs.topic={}\n[[step]]\nid='s'\nagent='a'\nprompt='{{topic}} {{s}} {{run.idd}} {{file}}'\n",
       {"6:9 error step[0].prompt: '{{topic}}' is an unknown name | did you mean '{{inputs.topic}}'?",
        "6:19 error step[0].prompt: '{{s}}' is an unknown name | did you mean '{{state.s}}'?",
        "6:25 error step[0].prompt: '{{run.idd}}' is an unknown name | did you mean '{{run.id}}'?",
        "6:37 error step[0].prompt: '{{file}}' is an unknown name | known: run.id, run.subject, step.id, inputs.topic, "
        "state.s"}},
      {"not closed",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='''\nA {{run.id}}\nB {{run.id\n'''\n",
       {"7:3 error step[0].prompt: '{{run.id' opens a placeholder that is not closed | " + close}},
      {"no name inside",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='{{}} {{a b}} {{a..b}} {{{x}}}'\n",
       {"5:9 error step[0].prompt: '{{}}' is not a placeholder | " + form,
        "5:14 error step[0].prompt: '{{a b}}' is not a placeholder | " + form,
        "5:22 error step[0].prompt: '{{a..b}}' is not a placeholder | " + form,
        "5:31 error step[0].prompt: '{{{x}}' is not a placeholder | " + form}},
      {"placeholders of other tools",
       "name='x'\ninputs.t={}\n[[step]]\nid='s'\nagent='a'\nprompt='${HOME} {inputs.t} {\"a\":{\"b\":1}} {x}'\n",
       {"6:9 warning step[0].prompt: '${HOME}' is not a placeholder; it reaches the agent as it stands | a placeholder "
        "is "
        "written {{inputs.NAME}}",
        "6:17 warning step[0].prompt: '{inputs.t}' is not a placeholder; it reaches the agent as it stands | a "
        "placeholder "
        "is written {{inputs.t}}"}},
      {"escaped", "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='{{{{inputs.t}} and }}'\n", {}},
      {"all known names",
       "name='x'\ninputs.t={}\nstate.f={}\n[[step]]\nid='s'\nagent='a'\n"
       "prompt='{{inputs.t}} {{ state.f.a.0 }} {{state.s}} {{run.id}} {{run.subject}} {{step.id}}'\n",
       {}},
      {"prompt of another type",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt=3\n",
       {"5:8 error step[0].prompt: 'prompt' must be a string; this is 3"}},
      {"prompt and prompt_file",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='x'\nprompt_file='y'\n",
       {"6:13 error step[0].prompt_file: 'prompt_file' is there, and 'prompt' too | write one of them"}},
      {"a prompt file that is not there",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt_file='y.md'\n",
       {"5:13 error step[0].prompt_file: 'prompt_file' names '/nowhere/y.md', which cannot be read: No such file or "
        "directory"}},
  });
}

TEST(WorkflowMistakes, in_routes_and_joins) {
  expect_says({
      {"routes that can never be taken",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=[{to='t'},{to='s'}]\n[[step]]\nid='t'\nagent='a'\n",
       {"5:16 error step[0].next[1]: this route can never be taken: the one before it has no 'when', so it always "
        "holds | "
        "put the route without 'when' last; to go to several steps, write a list of names"}},
      {"names and tables mixed",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['t',{to='s'}]\n[[step]]\nid='t'\nagent='a'\n",
       {"5:6 error step[0].next: 'next' mixes names and tables | " + next_forms}},
      {"a route without a target",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=[{when={path='/a',exists=true}}]\n",
       {
           "5:7 error step[0].next[0].to: 'to' is missing | write { to = \"step\", when = { ... } }",
       }},
      {"a join on an unknown step",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\nid='t'\nagent='a'\njoin=['s','u']\n",
       {"9:11 error step[1].join[1]: 'join' names the step 'u', which is not there | known: s, t"}},
      {"a join of itself",
       "name='x'\n[[step]]\nid='s'\nagent='a'\n[[step]]\nid='t'\nagent='a'\njoin=['s','t']\n",
       {"8:11 error step[1].join[1]: step 't' waits for itself, and so never runs | take it out"}},
      {"a join that names a step twice",
       "name='x'\n[[step]]\nid='s'\nagent='a'\n[[step]]\nid='t'\nagent='a'\njoin=['s','s']\n",
       {"8:11 error step[1].join[1]: 'join' names the step 's' twice; it arrives once | take one out"}},
      {"a way into a join past those that it waits for",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['t','u','v']\n[[step]]\nid='t'\nagent='a'\n[[step]]\nid='u'\n"
       "agent='a'\n[[step]]\nid='v'\nagent='a'\njoin=['t','u']\n",
       {"5:15 error step[0].next[2]: 'next' leads to the step 'v', which joins 't', 'u' and not 's': it would run "
        "without waiting for them | add 's' to the 'join' of 'v', or lead to a step that joins nobody"}},
      {"the same of an error and of a function",
       "name='x'\n[[step]]\nid='s'\nagent='a'\non_error='v'\nnext='t'\n[[step]]\nid='t'\nfunction='probe.route'\n"
       "args={to=['u','v']}\n[[step]]\nid='u'\nagent='a'\n[[step]]\nid='v'\nagent='a'\njoin=['u']\n",
       {"5:10 error step[0].on_error: 'on_error' leads to the step 'v', which joins 'u' and not 's': it would run "
        "without waiting for them | add 's' to the 'join' of 'v', or lead to a step that joins nobody",
        "10:6 error step[1].args: 'probe.route' leads to the step 'v', which joins 'u' and not 't': it would run "
        "without "
        "waiting for them | add 't' to the 'join' of 'v', or lead to a step that joins nobody"}},
      {"a run that begins with a join",
       "name='x'\nstart='t'\n[[step]]\nid='s'\nagent='a'\nnext='t'\n[[step]]\nid='t'\nagent='a'\njoin=['s']\nnext='s'\n"
       "[limits]\nmax_steps=9\n",
       {"2:7 error start: the run begins with the step 't', which joins 's': it would run without waiting for them | "
        "begin with another step, or take out 'join'"}},
      {"a join that is led to by completing, and by name",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=['t','u']\n[[step]]\nid='t'\nagent='a'\n[[step]]\nid='u'\n"
       "agent='a'\nnext='v'\n[[step]]\nid='v'\nagent='a'\njoin=['t','u']\n",
       {}},
      {"an order of what has none",
       "name='x'\n[[step]]\nid='s'\nagent='a'\nnext=[{to='s',when={path='/s',gt=true}}]\n",
       {"5:34 error step[0].next[0].when.gt: 'gt' must be a number or a text: others are neither more nor less than "
        "anything"}},
  });
}

TEST(WorkflowMistakes, in_steps_that_only_functions_lead_to) {
  const auto flow = [](const std::string& call) {
    return "name='x'\n[[step]]\nid='s'\n" + call + "\n[[step]]\nid='t'\nagent='a'\n";
  };
  EXPECT_EQ(joined(check_text(flow("function='probe.route'\nargs={to='t'}"))), "");
  EXPECT_EQ(joined(check_text(flow("function='probe.route'\nargs=[{to=['s','t']}]\n[limits]\nmax_steps=3"))), "");
  EXPECT_EQ(
      joined(check_text(flow("function='probe.route'\nargs={to='u'}"))),
      "5:6 error step[0].args: 'probe.route' names the step 'u', which is not there | known: s, t\n"
      "7:4 error step[1].id: step 't' cannot be reached from 's' | name it in 'next' of a step that is reached, or "
      "take it out\n");
  EXPECT_EQ(joined(check_text(flow("function='merge_branches'"))),
            "6:4 warning step[1].id: step 't' cannot be reached from 's', unless a function leads there | name it in "
            "'next', too\n");
}

TEST(WorkflowMistakes, in_where_conditions_look) {
  const auto flow = [](const std::string& when) {
    return "name='x'\nlimits.max_steps=3\n[[step]]\nid='s'\nagent='a'\nnext=[{to='s',when=" + when + "}]\n";
  };
  EXPECT_EQ(joined(check_text(flow("{path='/s/x~1y/0',eq=1}"))), "");
  EXPECT_EQ(joined(check_text(flow("{path='',exists=true}"))), "");
  EXPECT_EQ(
      joined(check_text(flow("{any=[{path='/s',eq=1},{not={path='/ss/x',ne=2}}]}"))),
      "6:54 warning step[0].next[0].when.any[1].not.path: '/ss/x': there is no field 'ss' | declare it: [state.ss]; "
      "a step writes its result to the field of its 'output'\n");
}

TEST(WorkflowMistakes, in_errors_that_no_step_is_told_of) {
  const auto flow = [](const std::string& first, const std::string& second) {
    return "name='x'\n[[step]]\nid='s'\nagent='a'\nprompt='" + first +
           "'\non_error='t'\nnext='u'\n[[step]]\nid='t'\nagent='a'\nnext=[{to='u',when={path='/last_error/code',eq='"
           "AGENT_EXIT'}}]\n[[step]]\nid='u'\nagent='a'\nprompt='" +
           second + "'\n";
  };
  EXPECT_EQ(joined(check_text(flow("", "{{state.last_error.message}}"))), "");
  EXPECT_EQ(
      joined(check_text(flow("{{state.last_error}}", ""))),
      "5:9 error step[0].prompt: '{{state.last_error}}': there is no error here: no 'on_error' leads to this step | "
      "name the step in 'on_error' of another, or take it out\n");
  EXPECT_EQ(joined(check_text(flow("{{state.last_error}}", "") + "[state.last_error]\n")), "");
}

TEST(WorkflowMistakes, in_effects) {
  expect_says({
      {"all kinds", "name='x'\n[[step]]\nid='s'\nagent='a'\neffects='external'\non_crash='ask'\n", {}},
      {"another kind",
       "name='x'\n[[step]]\nid='s'\nagent='a'\neffects='extern'\n",
       {"5:9 error step[0].effects: 'effects' must be one of \"none\", \"idempotent\", \"external\"; this is "
        "\"extern\" | did you mean \"external\"?"}},
  });
}

TEST(WorkflowMistakes, a_silence_that_the_timeout_never_lets_last) {
  auto known = known_names();
  known.silence_limits[agent_name{"a"}] = {{"first_output", milliseconds{60'000}},
                                           {"idle_timeout", milliseconds{300'000}}};
  const auto says = [&](const std::string& timeout) {
    const auto text = "name='x'\n[[step]]\nid='s'\nagents=['a', 'b']\n" + timeout;
    return joined(lines_of(check_workflow(parse_workflow(text, "f.toml", "/nowhere"), known)));
  };
  EXPECT_EQ(says(""), "");
  EXPECT_EQ(says("timeout='6m'\n"), "");
  EXPECT_EQ(says("timeout='5m'\n"),
            "5:9 warning step[0].timeout: 'idle_timeout' of agent 'a' (5m) never counts: the step's timeout (5m) comes "
            "first | shorten it, or give the step more time\n");
}

}  // namespace
}  // namespace troupe::test
