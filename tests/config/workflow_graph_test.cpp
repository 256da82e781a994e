#include "config/workflow_graph.hpp"

#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace troupe::test {
namespace {

// The draft: also what the check refuses is drawn.
workflow flow_of(std::string_view text) {
  const auto loaded = parse_workflow(text, "f.toml", "/nowhere");
  EXPECT_NE(loaded.draft, nullptr) << joined(lines_of(loaded.problems));
  return loaded.draft == nullptr ? workflow{} : *loaded.draft;
}

constexpr std::string_view everything = R"(
name = "ship"
[[step]]
id = "survey"
agents = ["claude", "codex"]
next = ["end", "lint"]
consensus = { strategy = "vote" }
[[step]]
id = "end"
agent = "claude"
on_error = "lint"
next = [{ to = "survey", when = { any = [{ path = "/end/ok", eq = false }, { not = { path = "/n", ge = 3 } }] } }, { to = "ask" }]
[[step]]
id = "lint"
function = "probe.echo"
[[step]]
id = "ask"
gate = { prompt = "Ship it?", votes = 2, voters = ["ann", "bob", "eve"] }
next = ["each", "late"]
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "claude" }
[[step]]
id = "late"
function = "probe.route"
args = { to = "each" }
join = ["lint", "ask"]
)";

TEST(WorkflowGraph, as_mermaid) {
  EXPECT_EQ(to_mermaid(flow_of(everything)),
            R"(flowchart TD
  s0(["survey<br/>claude, codex #40;vote#41;"])
  s1["end<br/>claude"]
  s2["lint<br/>probe.echo#40;#41;"]
  s3{"ask<br/>gate: 2 of 3 votes"}
  s4[["each<br/>for each file: claude"]]
  s5["late<br/>probe.route#40;#41;"]
  j5{{"all"}}
  s0 --> s1
  s0 --> s2
  s1 -->|"#40;/end/ok = false or not #40;/n #62;= 3#41;#41;"| s0
  s1 --> s3
  s1 -.->|"on error"| s2
  s3 --> s4
  s3 --> j5
  s5 -->|"chosen"| s4
  s2 --> j5
  j5 --> s5
)");
}

TEST(WorkflowGraph, as_dot) {
  EXPECT_EQ(to_dot(flow_of(everything)),
            R"dot(digraph "ship" {
  node [shape=box, style=rounded];
  s0 [label="survey\nclaude, codex (vote)", peripheries=2];
  s1 [label="end\nclaude"];
  s2 [label="lint\nprobe.echo()"];
  s3 [label="ask\ngate: 2 of 3 votes", shape=diamond, style=solid];
  s4 [label="each\nfor each file: claude", shape=box3d, style=solid];
  s5 [label="late\nprobe.route()"];
  j5 [label="", shape=box, style=filled, fillcolor=black, width=1.2, height=0.06];
  s0 -> s1;
  s0 -> s2;
  s1 -> s0 [label="(/end/ok = false or not (/n >= 3))"];
  s1 -> s3;
  s1 -> s2 [label="on error", style=dashed];
  s3 -> s4;
  s3 -> j5;
  s5 -> s4 [label="chosen"];
  s2 -> j5;
  j5 -> s5;
}
)dot");
}

constexpr std::string_view five = R"(
name = "five"
[[step]]
id = "a"
agent = "x"
next = ["b", "c", "d", "e"]
[[step]]
id = "b"
agent = "x"
[[step]]
id = "c"
gate = { levels = [{ prompt = "?" }, { prompt = "?" }] }
[[step]]
id = "d"
map = { over = "/a", as = "f", function = "probe.echo" }
[[step]]
id = "e"
agent = "x"
next = "f"
[[step]]
id = "f"
agent = "x"
)";

const step_marks marks{{step_id{"a"}, step_mark::completed},
                       {step_id{"b"}, step_mark::running},
                       {step_id{"c"}, step_mark::waiting},
                       {step_id{"d"}, step_mark::failed},
                       {step_id{"e"}, step_mark::cancelled}};

TEST(WorkflowGraph, of_a_run_as_mermaid) {
  EXPECT_EQ(to_mermaid(flow_of(five), &marks),
            R"(flowchart TD
  s0(["a<br/>x<br/>completed"])
  s1["b<br/>x<br/>running"]
  s2{"c<br/>gate of 2 levels<br/>waiting"}
  s3[["d<br/>for each f: probe.echo#40;#41;<br/>failed"]]
  s4["e<br/>x<br/>cancelled"]
  s5["f<br/>x"]
  s0 --> s1
  s0 --> s2
  s0 --> s3
  s0 --> s4
  s4 --> s5
  classDef unreached fill:#ffffff,stroke:#adb5bd,color:#000000,stroke-dasharray:4
  class s5 unreached
  classDef completed fill:#d3f9d8,stroke:#2b8a3e,color:#000000
  class s0 completed
  classDef running fill:#d0ebff,stroke:#1864ab,color:#000000
  class s1 running
  classDef waiting fill:#fff3bf,stroke:#e67700,color:#000000
  class s2 waiting
  classDef failed fill:#ffe3e3,stroke:#c92a2a,color:#000000
  class s3 failed
  classDef cancelled fill:#e9ecef,stroke:#495057,color:#000000
  class s4 cancelled
)");
}

TEST(WorkflowGraph, of_a_run_as_dot) {
  EXPECT_EQ(to_dot(flow_of(five), &marks),
            R"dot(digraph "five" {
  node [shape=box, style=rounded];
  s0 [label="a\nx\ncompleted", peripheries=2, style="filled,rounded", fillcolor="#d3f9d8", color="#2b8a3e"];
  s1 [label="b\nx\nrunning", style="filled,rounded", fillcolor="#d0ebff", color="#1864ab"];
  s2 [label="c\ngate of 2 levels\nwaiting", shape=diamond, style="filled", fillcolor="#fff3bf", color="#e67700"];
  s3 [label="d\nfor each f: probe.echo()\nfailed", shape=box3d, style="filled", fillcolor="#ffe3e3", color="#c92a2a"];
  s4 [label="e\nx\ncancelled", style="filled,rounded", fillcolor="#e9ecef", color="#495057"];
  s5 [label="f\nx", style="filled,dashed,rounded", fillcolor="#ffffff", color="#adb5bd"];
  s0 -> s1;
  s0 -> s2;
  s0 -> s3;
  s0 -> s4;
  s4 -> s5;
}
)dot");
}

TEST(WorkflowGraph, marks_the_start_where_it_is_declared) {
  const auto flow =
      flow_of("name='x'\nstart='b'\n[[step]]\nid='a'\nagent='a'\n[[step]]\nid='b'\nagent='a'\nnext='a'\n");
  EXPECT_EQ(to_mermaid(flow), "flowchart TD\n  s0[\"a<br/>a\"]\n  s1([\"b<br/>a\"])\n  s1 --> s0\n");
}

// Their shapes say what they are, so the start is a mark of its own.
TEST(WorkflowGraph, marks_a_start_that_is_a_gate_or_a_map) {
  const auto gate = flow_of("name='x'\n[[step]]\nid='a'\ngate={prompt='Go?'}\nnext='b'\n[[step]]\nid='b'\nagent='a'\n");
  EXPECT_EQ(to_mermaid(gate),
            "flowchart TD\n  s0{\"a<br/>gate\"}\n  s1[\"b<br/>a\"]\n"
            "  start((\" \"))\n  start --> s0\n  s0 --> s1\n");
  EXPECT_EQ(to_dot(gate), R"dot(digraph "x" {
  node [shape=box, style=rounded];
  s0 [label="a\ngate", shape=diamond, style=solid];
  s1 [label="b\na"];
  start [label="", shape=point, width=0.15];
  start -> s0;
  s0 -> s1;
}
)dot");
  const auto map = flow_of("name='x'\n[[step]]\nid='a'\nmap={over='/l',as='i',agent='a'}\n");
  EXPECT_EQ(to_mermaid(map), "flowchart TD\n  s0[[\"a<br/>for each i: a\"]]\n  start((\" \"))\n  start --> s0\n");
  EXPECT_EQ(to_dot(map), R"dot(digraph "x" {
  node [shape=box, style=rounded];
  s0 [label="a\nfor each i: a", shape=box3d, style=solid];
  start [label="", shape=point, width=0.15];
  start -> s0;
}
)dot");
}

TEST(WorkflowGraph, leaves_out_routes_to_nowhere) {
  const auto flow = flow_of("name='x'\n[[step]]\nid='a'\nagent='a'\nnext=['zz','a']\n");
  EXPECT_EQ(to_mermaid(flow), "flowchart TD\n  s0([\"a<br/>a\"])\n  s0 --> s0\n");
}

// Whatever stands in a condition: a label ends where it should, and holds no markup.
TEST(WorkflowGraph, escapes_labels) {
  const std::string letters = "\"\\<>&#|[](){};`\n\t-a\x01\x7F\xFF\u00E9";
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    workflow flow = flow_of("name='x'\n[[step]]\nid='a'\nagent='a'\nnext=[{to='a',when={path='/a',eq=1}}]\n");
    std::string text;
    for (auto count = random() % 12; count > 0; --count) {
      text += letters[random() % letters.size()];
    }
    flow.steps[0].next[0].when->pointer = text;
    const auto mermaid = to_mermaid(flow);
    const auto edge = mermaid.substr(mermaid.find("-->|\"") + 5);
    const auto label = edge.substr(0, edge.find('"'));
    ASSERT_EQ(edge.substr(label.size()), "\"| s0\n") << "seed " << seed << ": " << mermaid;
    ASSERT_EQ(label.find_first_of("&`\\{}[]()|"), std::string::npos) << "seed " << seed << ": " << label;
    ASSERT_EQ(repair_utf8(label), label) << "seed " << seed;
    const auto dot = to_dot(flow);
    const auto mark = dot.find("s0 -> s0 [label=\"") + 17;
    auto end = mark;
    while (end < dot.size() && dot[end] != '"') {
      end += dot[end] == '\\' ? 2U : 1U;
    }
    ASSERT_EQ(dot.substr(std::min(end, dot.size())), "\"];\n}\n") << "seed " << seed << ": " << dot;
  }
}

}  // namespace
}  // namespace troupe::test
