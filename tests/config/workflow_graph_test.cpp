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
gate = { prompt = "Ship it?" }
next = "each"
[[step]]
id = "each"
map = { over = "/files", as = "file", agent = "claude" }
)";

TEST(WorkflowGraph, as_mermaid) {
  EXPECT_EQ(to_mermaid(flow_of(everything)),
            R"(flowchart TD
  s0(["survey<br/>claude, codex #40;vote#41;"])
  s1["end<br/>claude"]
  s2["lint<br/>probe.echo#40;#41;"]
  s3["ask<br/>gate"]
  s4["each<br/>for each file: claude"]
  s0 --> s1
  s0 --> s2
  s1 -->|"#40;/end/ok = false or not #40;/n #62;= 3#41;#41;"| s0
  s1 --> s3
  s1 -.->|"on error"| s2
  s3 --> s4
)");
}

TEST(WorkflowGraph, as_dot) {
  EXPECT_EQ(to_dot(flow_of(everything)),
            R"dot(digraph "ship" {
  node [shape=box, style=rounded];
  s0 [label="survey\nclaude, codex (vote)", peripheries=2];
  s1 [label="end\nclaude"];
  s2 [label="lint\nprobe.echo()"];
  s3 [label="ask\ngate"];
  s4 [label="each\nfor each file: claude"];
  s0 -> s1;
  s0 -> s2;
  s1 -> s0 [label="(/end/ok = false or not (/n >= 3))"];
  s1 -> s3;
  s1 -> s2 [label="on error", style=dashed];
  s3 -> s4;
}
)dot");
}

TEST(WorkflowGraph, marks_the_start_where_it_is_declared) {
  const auto flow =
      flow_of("name='x'\nstart='b'\n[[step]]\nid='a'\nagent='a'\n[[step]]\nid='b'\nagent='a'\nnext='a'\n");
  EXPECT_EQ(to_mermaid(flow), "flowchart TD\n  s0[\"a<br/>a\"]\n  s1([\"b<br/>a\"])\n  s1 --> s0\n");
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
