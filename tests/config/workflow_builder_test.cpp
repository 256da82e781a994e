// A workflow in C++ is the one in a file: the same model, the same problems.
#include "config/workflow_builder.hpp"

#include "config/workflow_conditions.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace troupe::test {
namespace {

loaded_workflow from_file(std::string_view text) { return parse_workflow(text, "f.toml", "/nowhere"); }

std::vector<std::string> said_of(const workflow_builder& flow) {
  std::vector<std::string> said;
  for (const auto& each : check_workflow(flow.build(), known_names())) {
    EXPECT_EQ(each.at.line, 0);
    said.push_back(each.at.file + ": " + each.key + ": " + each.message + (each.hint.empty() ? "" : " | " + each.hint));
  }
  return said;
}

TEST(WorkflowBuilder, makes_what_a_file_makes) {
  workflow_builder made{"review"};
  made.version(3)
      .start("plan")
      .max_concurrent(4)
      .max_steps(50)
      .wall_clock(10min)
      .required_input("topic")
      .input("depth", json_text{"2"})
      .input("note")
      .state("findings", reducer::append, json_text{"[]"})
      .state("last", reducer::last);
  made.step("survey")
      .agents({"a", "b", "claude"})
      .prompt("Survey {{inputs.topic}}.\n\"'''\"")
      .output("findings")
      .timeout(90s)
      .vote_on("/decision")
      .next("plan")
      .next("lint");
  made.step("plan").agent("a").agent("b").collect(1).next("survey");
  made.step("lint")
      .function("probe.set", json_text{R"([{"field":"last","value":{"a":[1,2.5,"x",true]}}])"})
      .next("find");
  made.step("find").agents({"a", "b"}).vote_each("/findings", {"/file", "/line"}).vote(2).next("fast");
  made.step("fast")
      .agents({"a", "b"})
      .race()
      .hard_deadline(20s)
      .retry({5, 2s, 8s, 3.0, 0.25, std::nullopt})
      .next("merge");
  made.step("merge")
      .agents({"a", "b", "c"})
      .aggregate("claude", "Merge {{outputs}}.", 2)
      .min_answers(1)
      .retry_degraded(0)
      .soft_deadline(1min)
      .next("own");
  made.step("own").agents({"a", "b"}).aggregate("c").required({});
  const auto built = made.build();
  const auto read = from_file(R"(
name = "review"
version = 3
start = "plan"
limits = { max_concurrent = 4, max_steps = 50, wall_clock = "10m" }
[inputs]
topic = { required = true }
depth = { default = 2 }
note = {}
[state]
findings = { reduce = "append", initial = [] }
last = { reduce = "last" }
[[step]]
id = "survey"
agents = ["a", "b", "claude"]
prompt = "Survey {{inputs.topic}}.\n\"'''\""
output = "findings"
timeout = "90s"
next = ["plan", "lint"]
consensus = { strategy = "vote", vote_on = "/decision" }
[[step]]
id = "plan"
agents = ["a", "b"]
next = "survey"
consensus = { quorum = 1 }
[[step]]
id = "lint"
function = "probe.set"
args = [{ field = "last", value = { a = [1, 2.5, "x", true] } }]
next = ["find"]
[[step]]
id = "find"
agents = ["a", "b"]
consensus = { strategy = "vote", vote_each = "/findings", vote_by = ["/file", "/line"], quorum = 2 }
next = "fast"
[[step]]
id = "fast"
agents = ["a", "b"]
retry = { max_attempts = 5, initial = "2s", max = "8s", multiplier = 3, jitter = 0.25, total = "off" }
consensus = { strategy = "race", hard_deadline = "20s" }
next = "merge"
[[step]]
id = "merge"
agents = ["a", "b", "c"]
next = "own"
[step.consensus]
strategy = "aggregate"
aggregator = "claude"
prompt = "Merge {{outputs}}."
quorum = 2
min_answers = 1
retry_degraded = 0
soft_deadline = "1m"
[[step]]
id = "own"
agents = ["a", "b"]
consensus = { strategy = "aggregate", aggregator = "c", required = [] }
)");
  ASSERT_NE(built.flow, nullptr) << joined(lines_of(built.problems));
  ASSERT_NE(read.flow, nullptr) << joined(lines_of(read.problems));
  EXPECT_EQ(to_toml(*built.flow), to_toml(*read.flow));
  EXPECT_EQ(joined(lines_of(check_workflow(built, known_names()))), "");
  EXPECT_EQ(joined(lines_of(check_workflow(read, known_names()))), "");
}

TEST(WorkflowBuilder, makes_branches_joins_gates_and_maps_as_a_file_does) {
  workflow_builder made{"ship"};
  made.priority(7).budget_usd(2.5).budget_tokens(1'000'000).budget_time(2h).state(
      "files", reducer::last, json_text{"[]"});
  made.step("look")
      .agent("a")
      .next("lint")
      .next("each")
      .on_crash(crash_policy::ask)
      .effects(effect_kind::external)
      .on_error("sorry");
  made.step("lint").function("probe.echo");
  made.step("each").map_agent("/files", "file", "claude").map_concurrent(2).prompt("Look at {{file}}.");
  made.step("call")
      .map_function("/files", "file", "probe.echo", json_text{R"({"text":"x"})"})
      .join({"lint", "each"})
      .next("ask");
  made.step("ask")
      .gate("Ship?")
      .votes(2)
      .voters({"ann", "bob"})
      .expires(24h, expiry_policy::escalate)
      .gate("Really?")
      .asked_when(state_at("/look/risk").gt(json_text{"3"}))
      .approved_when(all_hold({state_at("/look/risk").eq(json_text{"0"}), does_not_hold(state_at("/veto").exists())}))
      .action("/look/diff")
      .next("done", state_at("/ask/decision").eq(json_text{"\"approved\""}))
      .next("look", any_holds({state_at("/look/n").in(json_text{"[1,2]"}), state_at("/veto").is_absent()}))
      .next("sorry");
  made.step("done").agent("a");
  made.step("sorry").agent("a").prompt("{{state.last_error.message}}");
  const auto built = made.build();
  const auto read = from_file(R"(
name = "ship"
limits = { priority = 7, budget_usd = 2.5, budget_tokens = 1_000_000, budget_time = "2h" }
state.files = { reduce = "last", initial = [] }
[[step]]
id = "look"
agent = "a"
next = ["lint", "each"]
on_crash = "ask"
effects = "external"
on_error = "sorry"
[[step]]
id = "lint"
function = "probe.echo"
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "claude", max_concurrent = 2 }
prompt = "Look at {{file}}."
[[step]]
id = "call"
map = { over = "/files", as = "file", function = "probe.echo", args = { text = "x" } }
join = ["lint", "each"]
next = "ask"
[[step]]
id = "ask"
next = [
  { to = "done", when = { path = "/ask/decision", eq = "approved" } },
  { to = "look", when = { any = [{ path = "/look/n", in = [1, 2] }, { path = "/veto", exists = false }] } },
  { to = "sorry" },
]
[step.gate]
action = "/look/diff"
approved_when = { all = [{ path = "/look/risk", eq = 0 }, { not = { path = "/veto", exists = true } }] }
levels = [
  { prompt = "Ship?", votes = 2, voters = ["ann", "bob"], expires = "24h", on_expiry = "escalate" },
  { when = { path = "/look/risk", gt = 3 }, prompt = "Really?" },
]
[[step]]
id = "done"
agent = "a"
[[step]]
id = "sorry"
agent = "a"
prompt = "{{state.last_error.message}}"
)");
  ASSERT_NE(built.flow, nullptr) << joined(lines_of(built.problems));
  ASSERT_NE(read.flow, nullptr) << joined(lines_of(read.problems));
  EXPECT_EQ(to_toml(*built.flow), to_toml(*read.flow));
  EXPECT_EQ(check_workflow(built, known_names()).size(), check_workflow(read, known_names()).size());
}

TEST(WorkflowBuilder, makes_workflows_of_workflows) {
  workflow_builder child{"child"};
  child.required_input("file");
  child.step("look").agent("a").prompt("{{inputs.file}}");
  workflow_builder made{"parent"};
  made.state("files", reducer::last, json_text{"[]"});
  made.step("each").map_workflow("/files", "file", child.build().flow);
  const auto built = made.build();
  ASSERT_NE(built.flow, nullptr) << joined(lines_of(built.problems));
  EXPECT_EQ(joined(said_of(made)), "");
  const auto& map = *built.flow->steps[0].map;
  EXPECT_EQ(map.workflow_file, "child.toml");
  EXPECT_EQ(map.flow->hash, child.build().flow->hash);
  const auto stored = from_file(built.flow->source);
  ASSERT_NE(stored.flow, nullptr) << joined(lines_of(stored.problems));
  EXPECT_EQ(stored.flow->hash, built.flow->hash);
}

TEST(WorkflowBuilder, tells_two_children_of_one_name_apart) {
  const auto child = [](const std::string& agent) {
    workflow_builder made{"child"};
    made.input("f").step("s").agent(agent);
    return made.build().flow;
  };
  workflow_builder made{"parent"};
  made.state("l", reducer::last, json_text{"[]"});
  made.step("p").map_workflow("/l", "f", child("a")).next("q");
  made.step("q").map_workflow("/l", "f", child("a")).next("r");
  made.step("r").map_workflow("/l", "f", child("b"));
  EXPECT_EQ(joined(said_of(made)),
            "builder step 'r': step[2].map.workflow: there is another workflow 'child' in this one already | give each "
            "a name of its own\n");
}

TEST(WorkflowBuilder, says_of_mistakes_of_gates_and_joins_what_a_file_says) {
  workflow_builder made{"x"};
  made.step("s").gate("?").votes(2).voters({"ann"}).next("t");
  made.step("t").agent("a").join({"u"}).approved_when(state_at("/s").eq(json_text{"null"}));
  made.step("u").map_workflow("/s", "f", nullptr);
  EXPECT_EQ(
      joined(said_of(made)),
      R"(builder step 't': step[1].gate.approved_when: this is not JSON that a workflow can hold: null | a workflow has no null; leave the value out
builder step 't': step[1].gate.levels: 'levels' must be a list of tables, with at least one | write levels = [{ prompt = "Merge?" }]
builder step 'u': step[2].map: 'map' says nothing of who carries it out | write exactly one of agent, function, workflow
builder step 'u': step[2].id: step 'u' cannot be reached from 's' | name it in 'next' of a step that is reached, or take it out
builder step 's': step[0].next[0]: 'next' leads to the step 't', which joins 'u' and not 's': it would run without waiting for them | add 's' to the 'join' of 't', or lead to a step that joins nobody
builder step 's': step[0].gate.votes: 'votes' is 2, and 'voters' are 1: nobody votes twice, so it is never approved | lower 'votes', or add voters
)");
}

TEST(WorkflowBuilder, an_aggregate_has_its_required_parts_written_out) {
  const auto read = [](const std::string& required) {
    const auto loaded = from_file(
        "name='x'\n[[step]]\nid='s'\nagents=['a','b']\n[step.consensus]\nstrategy='aggregate'\n"
        "aggregator='c'\n" +
        required);
    return loaded.flow == nullptr ? std::vector<std::string>{"?"} : loaded.flow->steps[0].consensus->required;
  };
  EXPECT_EQ(read(""), (std::vector<std::string>{"/agreements", "/conflicts"}));
  EXPECT_EQ(read("required=['/a']\n"), std::vector<std::string>{"/a"});
  EXPECT_EQ(read("required=[]\n"), std::vector<std::string>{});
}

TEST(WorkflowBuilder, has_a_source_that_reads_back_as_the_same_workflow) {
  workflow_builder made{"x"};
  made.step("s").agent("a").prompt("{{run.id}}");
  const auto built = made.build();
  ASSERT_NE(built.flow, nullptr);
  const auto back = from_file(built.flow->source);
  ASSERT_NE(back.flow, nullptr) << joined(lines_of(back.problems));
  EXPECT_EQ(back.flow->hash, built.flow->hash);
  EXPECT_EQ(to_toml(*back.flow), to_toml(*built.flow));
}

TEST(WorkflowBuilder, says_of_mistakes_what_a_file_says) {
  workflow_builder made{"My Flow"};
  made.max_concurrent(0).input("a b").state("n", reducer::sum, json_text{"\"1\""});
  made.step("s").agents({"a", "cluade"}).vote(3).prompt("{{inputs.zz}}").next("t");
  made.step("S").function("probe.ech");
  EXPECT_EQ(
      joined(said_of(made)),
      R"(builder: name: 'name' is 'My Flow', which cannot be the name of a workflow | a name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts with a letter or digit
builder: limits.max_concurrent: 'max_concurrent' must be from 1 to 100000; this is 0
builder: inputs.a b: 'a b' cannot be the name of a field | a field has 1 to 64 characters of a-z, A-Z, 0-9, '_' and '-'
builder: state.n.initial: 'initial' must be a number: the field is reduced by "sum"
builder step 'S': step[1].id: 'id' is 'S', which cannot be the id of a step | a name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts with a letter or digit
builder step 'S': step[1].function: there is no function 'probe.ech' | did you mean 'probe.echo'?
builder step 's': step[0].agents[1]: there is no agent 'cluade' | did you mean 'claude'?
builder step 's': step[0].consensus.quorum: 'quorum' must be from 1 to 2: the step has 2 agents; this is 3
)");
}

TEST(WorkflowBuilder, says_at_which_step) {
  workflow_builder made{"x"};
  made.step("s").agents({"a", "cluade"}).vote(3).prompt("{{state.zz}}").next("u");
  made.step("t").function("probe.ech").next("s");
  EXPECT_EQ(joined(said_of(made)),
            R"(builder step 's': step[0].next[0]: 'next' names the step 'u', which is not there | known: s, t
builder step 's': step[0].agents[1]: there is no agent 'cluade' | did you mean 'claude'?
builder step 's': step[0].consensus.quorum: 'quorum' must be from 1 to 2: the step has 2 agents; this is 3
builder step 's': step[0].prompt: '{{state.zz}}': there is no field 'zz' | known: s, t
builder step 't': step[1].id: step 't' cannot be reached from 's' | name it in 'next' of a step that is reached, or take it out
builder step 't': step[1].function: there is no function 'probe.ech' | did you mean 'probe.echo'?
)");
}

TEST(WorkflowBuilder, says_of_a_graph_that_cannot_be_what_a_file_says) {
  workflow_builder twice{"twice"};
  twice.step("a").agent("a");
  twice.step("a").agent("b");
  workflow_builder unnamed{"unnamed"};
  unnamed.step("").agent("a");
  workflow_builder nowhere{"nowhere"};
  nowhere.start("b").step("a").agent("a");
  workflow_builder joins{"joins"};
  joins.step("a").agent("a").next("b");
  joins.step("b").agent("a").join({"a", "c"});
  workflow_builder round{"round"};
  round.step("a").agent("a").next("b");
  round.step("b").agent("a").next("a");
  std::string said;
  for (const auto* flow : {&twice, &unnamed, &nowhere, &joins, &round}) {
    said += joined(said_of(*flow)) + '\n';
  }
  EXPECT_EQ(said,
            R"(builder step 'a': step[1].id: there is a step 'a' already | give each step an id of its own

builder step '': step[0].id: 'id' is '', which cannot be the id of a step | a name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts with a letter or digit

builder: start: 'start' names the step 'b', which is not there | known: a

builder step 'b': step[1].join[1]: 'join' names the step 'c', which is not there | known: a, b

builder step 'a': step[0].next: the loop of 'a', 'b' never ends: each of its routes is always taken | add max_steps or wall_clock to [limits]

)");
}

TEST(WorkflowBuilder, refuses_json_that_a_file_cannot_hold) {
  workflow_builder made{"x"};
  made.input("a", json_text{"null"}).state("b", reducer::last, json_text{"[1,"});
  made.step("s").function("probe.echo", json_text{R"({"x":[null]})"});
  EXPECT_EQ(
      joined(said_of(made)),
      R"(builder: inputs.a.default: this is not JSON that a workflow can hold: null | a workflow has no null; leave the value out
builder: state.b.initial: this is not JSON that a workflow can hold: [1, | a workflow has no null; leave the value out
builder step 's': step[0].args: this is not JSON that a workflow can hold: {"x":[null]} | a workflow has no null; leave the value out
)");
  EXPECT_EQ(made.build().flow, nullptr);
}

TEST(WorkflowBuilder, says_of_what_is_declared_twice) {
  workflow_builder made{"x"};
  made.required_input("topic").input("topic").state("n", reducer::sum).state("n", reducer::last);
  made.step("s").agent("cluade");
  EXPECT_EQ(joined(said_of(made)),
            R"(builder: inputs.topic: input 'topic' is declared twice | take one out
builder: state.n: field 'n' is declared twice | take one out
builder step 's': step[0].agents[0]: there is no agent 'cluade' | did you mean 'claude'?
)");
}

TEST(WorkflowBuilder, refuses_a_map_of_less_than_none_at_once) {
  workflow_builder made{"x"};
  made.state("list", reducer::last, json_text{"[1]"});
  made.step("s").map_function("/list", "each", "probe.echo").map_concurrent(-1);
  EXPECT_EQ(joined(said_of(made)),
            "builder step 's': step[0].map.max_concurrent: 'max_concurrent' must be from 1 to 100000; this is -1\n");
}

TEST(WorkflowBuilder, refuses_a_workflow_without_steps) {
  EXPECT_EQ(joined(said_of(workflow_builder{"x"})),
            "builder: step: 'step' is missing | a workflow has at least one step: write [[step]] on a line of its own, "
            "and the step's keys below\n");
}

}  // namespace
}  // namespace troupe::test
