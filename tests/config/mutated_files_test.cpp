// Files with random damage: no crash, and each complaint stands somewhere.
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace troupe::test {
namespace {

constexpr std::string_view whole_workflow = R"(name    = "review"
version = 3
start   = "survey"
[limits]
max_concurrent = 8
max_steps      = 50
wall_clock     = "30m"
budget_usd     = 2.5
budget_tokens  = 1000
budget_time    = "2h"
[inputs.topic]
required = true
[inputs.depth]
default = { a = [1, 2.5, 1979-05-27T07:32:00Z], "b c" = true }
[state.findings]
initial = []
reduce  = "append"
[[step]]
id        = "survey"
agents    = ["a", "b", "claude"]
prompt    = """
Survey {{inputs.topic}} é to depth {{ inputs.depth.a.0 }}: {{state.findings}} {{{{x}} ${y}"""
output    = "findings"
timeout   = "5m"
retry     = { max_attempts = 3, initial = "1s", max = "16s", multiplier = 2.0, jitter = 0.5 }
on_crash  = "retry"
on_error  = "ask"
next      = ["plan", 'lint']
[step.consensus]
strategy  = "vote"
quorum    = 2
vote_each = "/findings"
vote_by   = ["/file", "/line"]
[[step]]
id        = "merge"
agents    = ["a", "b"]
[step.consensus]
strategy  = "aggregate"
aggregator = "claude"
prompt    = "Merge {{outputs}} for {{run.id}}."
required  = ["/agreements"]
quorum    = 2
min_answers = 1
retry_degraded = 2
soft_deadline = "1s"
hard_deadline = "2s"
[[step]]
id   = "plan"
agent = "claude"
prompt_file = "plan.md"
next = [{ to = "survey", when = { all = [{ path = "/a", eq = 1 }, { not = { path = "/b", in = [1, 2] } }] } }, { to = "ask" }]
[[step]]
id       = "lint"
function = "probe.append"
args     = [{ field = "findings", value = 0x1F }]
join     = ["survey"]
[[step]]
id   = "ask"
gate = { prompt = "Merge {{run.id}}?", expires = "24h", on_expiry = "escalate", votes = 1 }
[[step]]
id  = "each"
map = { over = "/files", as = "file", agent = "claude", max_concurrent = 4 }
prompt = 'Look at {{file.path}}'
effects = "external"
[[step]]
id  = "runs"
map = { over = "/files", as = "file", workflow = "one.toml" }
[[step]]
id  = "calls"
map = { over = "/files", as = "file", function = "probe.echo", args = { text = "x" } }
[[step]]
id   = "levels"
[step.gate]
action = "/plan"
approved_when = { path = "/risk", le = 1 }
levels = [{ prompt = "a", votes = 2, voters = ["ann", "bob"] }, { prompt = "b", when = { path = "/risk", gt = 3 } }]
[prompt_files]
"plan.md" = "Plan {{state.survey}}."
[workflow_files]
"one.toml" = """
name = 'one'
inputs.file = { required = true }
[[step]]
id = 'look'
agent = 'a'
prompt = '{{inputs.file}}'
"""
)";

constexpr std::string_view whole_config = R"(config_version = 1
[storage]
path = "db/x.db"
durability = "normal"
[writer]
max_batch = 64
[runtime]
kill_grace = "250ms"
[log]
level = "debug"
[agents.a]
command = ["./a.sh", "-x"]
prompt = "arg"
parse = "json"
require = ["/a/0"]
env = { A = "1", "B" = "é" }
pass_env = ["HOME"]
ok_exit = [0, 1]
output_limit = "64KiB"
)";

class damage {
 public:
  explicit damage(std::uint64_t seed) : random_(seed) {}

  std::string done_to(std::string_view good) {
    std::string text{good};
    for (auto count = 1 + random_() % 6; count > 0 && !text.empty(); --count) {
      edit(text);
    }
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  char letter() {
    constexpr std::string_view likely = "[]{}\"'=.,#\n\r\t -_0aZ\\\0\x7F\xC3\xFF";
    return below(4) == 0 ? static_cast<char>(random_() & 0xFFU) : likely[below(likely.size())];
  }

  void edit(std::string& text) {
    const auto at = below(text.size());
    const auto length = std::min(1 + below(24), text.size() - at);
    switch (below(6)) {
      case 0:
        text[at] = letter();
        break;
      case 1:
        text.insert(at, 1, letter());
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      case 4:
        text.replace(at, length, text.substr(below(text.size()), length));
        break;
      default:
        text.resize(below(20) == 0 ? at : text.size());
        std::swap(text[below(text.size())], text[below(text.size())]);
    }
  }

  std::mt19937_64 random_;
};

void expect_places(const std::vector<problem>& problems, const std::string& text, std::uint64_t seed) {
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  for (const auto& each : problems) {
    ASSERT_GE(each.at.line, 1) << "seed " << seed << ": " << line_of(each) << "\n" << text;
    ASSERT_LE(each.at.line, lines) << "seed " << seed << ": " << line_of(each) << "\n" << text;
    ASSERT_GE(each.at.column, 1) << "seed " << seed << ": " << line_of(each) << "\n" << text;
    ASSERT_FALSE(each.message.empty()) << "seed " << seed;
  }
}

TEST(MutatedFiles, of_workflows_are_refused_at_a_place) {
  int good = 0;
  for (std::uint64_t seed = 0; seed < 10'000 && !testing::Test::HasFatalFailure(); ++seed) {
    const auto text = damage{seed}.done_to(whole_workflow);
    const auto loaded = parse_workflow(text, "f.toml", "/nowhere");
    ASSERT_EQ(loaded.flow == nullptr, has_errors(loaded.problems)) << "seed " << seed;
    expect_places(check_workflow(loaded, known_names()), text, seed);
    if (loaded.flow != nullptr) {
      ++good;
      const auto again = parse_workflow(loaded.flow->source, "f.toml", "/nowhere");
      ASSERT_NE(again.flow, nullptr) << "seed " << seed << "\n" << text;
      ASSERT_EQ(again.flow->hash, loaded.flow->hash) << "seed " << seed;
    }
  }
  EXPECT_GT(good, 100);
}

TEST(MutatedFiles, of_settings_are_refused_at_a_place) {
  for (std::uint64_t seed = 0; seed < 10'000 && !testing::Test::HasFatalFailure(); ++seed) {
    const auto text = damage{seed}.done_to(whole_config);
    const auto loaded = load_config(sources_of(text));
    ASSERT_EQ(loaded.values == nullptr, has_errors(loaded.problems)) << "seed " << seed;
    expect_places(loaded.problems, text, seed);
  }
}

TEST(MutatedFiles, of_bytes_without_any_meaning_are_refused_at_a_place) {
  for (std::uint64_t seed = 0; seed < 3'000 && !testing::Test::HasFatalFailure(); ++seed) {
    std::mt19937_64 random{seed};
    std::string text;
    for (auto count = random() % 64; count > 0; --count) {
      text += static_cast<char>(random() & 0xFFU);
    }
    expect_places(check_workflow(parse_workflow(text, "f.toml", "/nowhere"), known_names()), text, seed);
  }
}

}  // namespace
}  // namespace troupe::test
