#include "tests/config/random_workflow.hpp"

#include "config/workflow_file.hpp"

#include <array>
#include <memory>
#include <random>
#include <sstream>
#include <string_view>
#include <vector>

namespace troupe::test {
namespace {

class generator {
 public:
  generator(std::uint64_t seed, int depth) : random_(seed), depth_(depth) {}

  workflow flow() {
    workflow out;
    out.name = "w" + number(9);
    out.version = static_cast<std::int64_t>(below(5));
    limits(out.limits);
    for (auto count = below(3); count > 0; --count) {
      const bool required = chance();
      out.inputs.push_back({"Input" + std::to_string(count), required, maybe(!required, [&] { return json(); }), {}});
    }
    for (auto count = below(3); count > 0; --count) {
      out.state.push_back({field_name{"field-" + std::to_string(count)},
                           maybe(chance(), [&] { return json(); }),
                           static_cast<reducer>(below(8)),
                           {}});
    }
    for (std::size_t i = 0, count = 1 + below(5); i < count; ++i) {
      out.steps.push_back(any_step(i));
    }
    out.start = out.steps[below(out.steps.size())].id;
    return out;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool chance() { return below(2) == 0; }
  std::string number(std::size_t bound) { return std::to_string(below(bound)); }

  template <class Make>
  auto maybe(bool is_there, Make make) -> std::optional<decltype(make())> {
    return is_there ? std::optional{make()} : std::nullopt;
  }

  std::string text() {
    constexpr std::string_view letters = "ab \"\\'\n\t{}[]#=.\x7F\xC3\xA9$/~";
    std::string out;
    for (auto count = below(12); count > 0; --count) {
      const char letter = letters[below(letters.size())];
      out += letter == '\xC3' || letter == '\xA9' ? std::string{"\xC3\xA9"} : std::string{letter};
    }
    return out;
  }

  std::string pointer() {
    static constexpr std::array<const char*, 5> some{"", "/a", "/a/0/b", "/x~1y", "/m~0n/1"};
    return some.at(below(some.size()));
  }

  json_text json() {
    static constexpr std::array<const char*, 8> some{
        "0", "-3", "2.5", "true", "\"\"", R"("\"x\\")", R"([1,{"a":[]}])", R"({"a":{"b c":1e+100},"z":"q"})"};
    return json_text{some.at(below(some.size()))};
  }

  milliseconds length() { return milliseconds{1 + static_cast<std::int64_t>(below(100'000'000))}; }

  condition when(int depth = 0) {
    condition out;
    out.is = depth > 2 ? condition::kind::compare : static_cast<condition::kind>(below(4));
    if (out.is == condition::kind::compare) {
      out.pointer = pointer();
      out.compares = static_cast<comparison>(below(8));
      out.value = operand(out.compares);
      return out;
    }
    for (auto count = out.is == condition::kind::negate ? 1U : 1 + below(3); count > 0; --count) {
      out.parts.push_back(when(depth + 1));
    }
    return out;
  }

  json_text operand(comparison by) {
    switch (by) {
      case comparison::exists:
        return json_text{chance() ? "true" : "false"};
      case comparison::in:
        return json_text{"[1,\"b\"]"};
      case comparison::gt:
      case comparison::ge:
      case comparison::lt:
      case comparison::le:
        return json_text{chance() ? "7" : "\"m\""};
      case comparison::eq:
      case comparison::ne:
        break;
    }
    return json();
  }

  void limits(run_limits& out) {
    out.max_concurrent = 1 + static_cast<int>(below(99));
    out.priority = static_cast<int>(below(10));
    out.max_steps = static_cast<std::int64_t>(below(100));
    out.wall_clock = maybe(chance(), [&] { return length(); });
    out.budget.microusd = maybe(chance(), [&] { return static_cast<std::int64_t>(random_() % 1'000'000'000'000); });
    out.budget.tokens = maybe(chance(), [&] { return 1 + static_cast<std::int64_t>(random_() % (1U << 30U)); });
    out.budget.time = maybe(chance(), [&] {
      return std::chrono::microseconds{milliseconds{1 + static_cast<std::int64_t>(random_() % (1U << 30U))}};
    });
  }

  function_call call() {
    return {"probe." + number(5), json_text{chance() ? "{}" : R"([{"field":"a","value":[1,"x"]},{}])"}};
  }

  gate_level level(bool has_condition) {
    gate_level out;
    out.when = maybe(has_condition, [&] { return when(); });
    out.prompt = "? " + text();
    out.votes = 1 + static_cast<int>(below(3));
    for (auto count = below(3); count > 0; --count) {
      out.voters.push_back("ann \"" + std::to_string(count));
    }
    out.expires = maybe(chance(), [&] { return length(); });
    out.on_expiry = out.expires ? static_cast<expiry_policy>(below(4)) : expiry_policy::fail;
    return out;
  }

  gate_policy gate() {
    gate_policy out;
    for (auto count = 1 + below(3); count > 0; --count) {
      out.levels.push_back(level(chance()));
    }
    out.action = maybe(chance(), [&] { return pointer(); });
    out.approved_when = maybe(chance(), [&] { return when(); });
    return out;
  }

  // A workflow of its own name, as a file of it says it.
  map_policy map(std::size_t index) {
    map_policy out;
    out.over = pointer();
    out.as = "Item_" + number(5);
    out.max_concurrent = static_cast<int>(below(4));
    const auto kind = below(depth_ > 0 ? 3 : 2);
    if (kind == 0) {
      out.agent = agent_name{"a" + number(5)};
    } else if (kind == 1) {
      out.function = call();
    } else {
      out.workflow_file = "sub/" + std::to_string(index) + ".toml";
      out.flow = parse_workflow(to_toml(generator{random_(), depth_ - 1}.flow()), "child", "/nowhere").draft;
    }
    return out;
  }

  consensus_policy consensus() {
    consensus_policy out;
    out.strategy = static_cast<consensus_strategy>(below(4));
    out.quorum = maybe(chance(), [&] { return 1 + static_cast<int>(below(3)); });
    out.retry_degraded = static_cast<int>(below(3));
    out.vote_on = pointer();
    out.soft_after = maybe(chance(), [&] { return length(); });
    if (out.strategy == consensus_strategy::aggregate) {
      out.aggregator = agent_name{"judge"};
      out.aggregate_prompt = text();
      out.required = {"/a", ""};
    }
    return out;
  }

  step_id any_id() { return step_id{"s" + number(5)}; }

  step any_step(std::size_t index) {
    step out;
    out.id = step_id{"s" + std::to_string(index)};
    out.output = field_name{chance() ? out.id.str() : "Out_" + number(3)};
    switch (below(4)) {
      case 0:
        out.agents.assign(1 + below(3), agent_name{"a1"});
        break;
      case 1:
        out.function = call();
        break;
      case 2:
        out.gate = gate();
        break;
      default:
        out.map = map(index);
    }
    out.prompt = text();
    out.timeout = maybe(chance(), [&] { return length(); });
    out.retry = maybe(chance(), [&] { return retry_policy{3, milliseconds{5}, length(), 2.5, 0.25, std::nullopt}; });
    if (out.retry && out.retry->max < out.retry->initial) {
      out.retry->max = out.retry->initial;
    }
    out.on_crash = maybe(chance(), [&] { return static_cast<crash_policy>(below(3)); });
    out.effects = maybe(chance(), [&] { return static_cast<effect_kind>(below(3)); });
    out.on_error = maybe(chance(), [&] { return any_id(); });
    out.consensus = maybe(chance(), [&] { return consensus(); });
    routes(out.next);
    for (auto count = below(3); count > 0; --count) {
      out.join.push_back(any_id());
    }
    return out;
  }

  // Conditions, and at most one route behind them that always holds; or none at all.
  void routes(std::vector<route>& into) {
    const bool has_conditions = chance();
    for (auto count = below(3); count > 0; --count) {
      into.push_back({any_id(), maybe(has_conditions, [&] { return when(); }), {}});
    }
    if (has_conditions && chance()) {
      into.push_back({any_id(), {}, {}});
    }
  }

  std::mt19937_64 random_;
  int depth_;
};

class describer {
 public:
  explicit describer(std::ostream& out) : out_(out) {}

  void flow(const workflow& of) {
    all(of.name, of.version, of.start, of.limits.max_concurrent, of.limits.priority, of.limits.max_steps);
    all(of.limits.wall_clock, of.limits.budget.microusd, of.limits.budget.tokens, of.limits.budget.time);
    for (const auto& each : of.inputs) {
      all("input", each.name, each.required, each.default_value);
    }
    for (const auto& each : of.state) {
      all("field", each.name, each.initial, each.reduce);
    }
    for (const auto& each : of.steps) {
      a_step(each);
    }
  }

 private:
  void a_step(const step& of) {
    all("step", of.id, of.agents, of.prompt, of.output, of.timeout, of.on_crash, of.effects, of.on_error, of.join);
    if (of.function) {
      call(*of.function);
    }
    for (const auto& each : of.next) {
      all("route", each.to);
      when(each.when);
    }
    if (of.gate) {
      gate(*of.gate);
    }
    if (of.map) {
      map(*of.map);
    }
    if (of.retry) {
      all("retry", of.retry->max_attempts, of.retry->initial, of.retry->max, of.retry->multiplier, of.retry->jitter);
      all(of.retry->total);
    }
    if (const auto& by = of.consensus) {
      all("consensus", by->strategy, by->quorum, by->vote_on, by->vote_each, by->vote_by, by->retry_degraded);
      all(by->min_answers, by->aggregator, by->aggregate_prompt, by->required, by->soft_after, by->hard_after);
    }
  }

  void call(const function_call& of) { all("call", of.name, of.args); }

  void when(const std::optional<condition>& of) {
    all("when", of.has_value());
    if (of) {
      all(of->is, of->pointer, of->compares, of->value, of->parts.size());
      for (const auto& part : of->parts) {
        when(part);
      }
    }
  }

  void gate(const gate_policy& of) {
    all("gate", of.action, of.levels.size());
    when(of.approved_when);
    for (const auto& each : of.levels) {
      when(each.when);
      all("level", each.prompt, each.votes, each.voters, each.expires, each.on_expiry);
    }
  }

  void map(const map_policy& of) {
    all("map", of.over, of.as, of.agent, of.workflow_file, of.max_concurrent);
    if (of.function) {
      call(*of.function);
    }
    if (of.flow) {
      all(of.flow->source, of.flow->hash);
      flow(*of.flow);
    }
  }

  template <class... Values>
  void all(const Values&... values) {
    (one(values), ...);
    out_ << '\n';
  }

  template <class Value>
  void one(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      out_ << static_cast<int>(value) << '|';
    } else if constexpr (requires { value.str(); }) {
      out_ << value.str() << '|';
    } else if constexpr (requires { value.count(); }) {
      out_ << value.count() << '|';
    } else {
      out_ << value << '|';
    }
  }

  template <class Value>
  void one(const std::optional<Value>& value) {
    out_ << value.has_value() << ':';
    if (value) {
      one(*value);
    }
  }

  template <class Value>
  void one(const std::vector<Value>& values) {
    out_ << values.size() << ':';
    for (const auto& each : values) {
      one(each);
    }
  }

  std::ostream& out_;
};

}  // namespace

workflow random_workflow(std::uint64_t seed) { return generator{seed, 2}.flow(); }

std::string described(const workflow& flow) {
  std::ostringstream out;
  describer{out}.flow(flow);
  return out.str();
}

}  // namespace troupe::test
