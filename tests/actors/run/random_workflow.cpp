#include "tests/actors/run/random_workflow.hpp"

#include "tests/actors/run/plan_material.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

namespace troupe {
namespace {

namespace json = boost::json;

struct known_field {
  const char* name;
  reducer how;
  const char* initial;  // Empty: none.
};

constexpr std::array<known_field, 8> fields{{{"n", reducer::sum, "0"},
                                             {"log", reducer::append, "[]"},
                                             {"set", reducer::set_union, ""},
                                             {"low", reducer::min, "9"},
                                             {"high", reducer::max, ""},
                                             {"card", reducer::merge, "{\"a\":1}"},
                                             {"late", reducer::last, ""},
                                             {"once", reducer::fail, ""}}};

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const unsigned char byte : text) {
    hash = (hash ^ byte) * 1'099'511'628'211U;
  }
  hash ^= hash >> 33U;
  hash *= 0xFF51AFD7ED558CCDU;
  return hash ^ (hash >> 33U);
}

class workflow_maker {
 public:
  explicit workflow_maker(std::uint64_t seed) : random_{seed} {}

  workflow make() {
    const auto count = 1 + below(9);
    for (std::uint64_t i = 0; i < count; ++i) {
      steps_.push_back(function_step("s" + std::to_string(i)));
    }
    for (auto& each : steps_) {
      shape(each);
    }
    steps_.front().gate.reset();  // who starts is a task, mostly
    if (!steps_.front().map && steps_.front().agents.empty()) {
      steps_.front().function = function_call{"work", json_text{"{}"}};
    }
    add_joins();
    auto flow = flow_of(std::move(steps_));
    for (const auto& field : fields) {
      flow.state.push_back({field_name{field.name},
                            *field.initial == '\0' ? std::nullopt : std::optional{json_text{field.initial}},
                            field.how,
                            {}});
    }
    flow.state.push_back({field_name{"items"}, json_text{below(4) == 0 ? "[]" : "[3,1,2]"}, reducer::last, {}});
    flow.limits.max_steps = static_cast<std::int64_t>(4 + below(40));
    flow.limits.max_concurrent = static_cast<int>(1 + below(8));
    return flow;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  step_id any_step() { return steps_[below(steps_.size())].id; }

  void shape(step& each) {
    switch (below(10)) {
      case 0:
        each.function.reset();
        each.map = map_policy{};
        each.map->over = std::array{"/items", "/log", "/set", "/nowhere", "/items"}[below(5)];
        each.map->as = "item";
        each.map->function = function_call{"work", json_text{"{}"}};
        each.map->max_concurrent = static_cast<int>(below(3));
        break;
      case 1:
        each.function.reset();
        each.gate = any_gate();
        break;
      case 2:
      case 3:
        each.function.reset();
        add_agents(each);
        break;
      default:
        break;
    }
    if (each.consensus) {  // its result may be of any kind
      each.output = field_name{std::array{"late", "log", "set", "once", each.id.str().c_str()}[below(5)]};
    } else if (!one_in(3)) {
      each.output = field_name{fields[below(fields.size())].name};
    }
    if (one_in(5)) {
      each.on_error = any_step();
    }
    const bool has_conditions = one_in(3);
    for (auto left = one_in(4) ? 0 : 1 + below(3); left > 0; --left) {
      each.next.push_back(
          {any_step(), has_conditions && !one_in(4) ? std::optional{any_condition(2)} : std::nullopt, {}});
    }
  }

  void add_agents(step& each) {
    const auto count = 1 + below(3);
    for (const auto* name : {"a", "b", "c"}) {
      if (each.agents.size() < count) {
        each.agents.emplace_back(name);
      }
    }
    if (count == 1 || one_in(5)) {
      return;
    }
    auto& policy = each.consensus.emplace();
    policy.strategy = one_in(3) ? consensus_strategy::collect : consensus_strategy::vote;
    policy.retry_degraded = static_cast<int>(below(3));
    if (one_in(2)) {
      policy.quorum = static_cast<int>(1 + below(count));
    }
    if (one_in(4)) {
      policy.min_answers = 1;
    }
    if (policy.strategy == consensus_strategy::vote && one_in(2)) {
      (one_in(2) ? policy.vote_on : policy.vote_each) = "/said";
    }
  }

  gate_policy any_gate() {
    gate_policy gate;
    for (auto left = 1 + below(2); left > 0; --left) {
      auto& level = gate.levels.emplace_back();
      level.prompt = "Go on?";
      level.on_expiry = std::array{
          expiry_policy::approve, expiry_policy::reject, expiry_policy::escalate, expiry_policy::fail}[below(4)];
      if (one_in(4)) {
        level.when = any_condition(1);
      }
    }
    if (one_in(4)) {
      gate.approved_when = any_condition(1);
    }
    if (one_in(4)) {
      gate.action = std::array{"/n", "/items", "/late"}[below(3)];
    }
    return gate;
  }

  condition any_condition(int depth) {
    condition made;
    if (depth > 0 && one_in(3)) {
      made.is = std::array{condition::kind::all, condition::kind::any, condition::kind::negate}[below(3)];
      for (auto left = made.is == condition::kind::negate ? 1 : 1 + below(3); left > 0; --left) {
        made.parts.push_back(any_condition(depth - 1));
      }
      return made;
    }
    made.pointer = std::array{"/n", "/low", "/high", "/log/0", "/card/a", "/late", "/once", "/nowhere"}[below(8)];
    made.compares = std::array{comparison::eq,
                               comparison::ne,
                               comparison::gt,
                               comparison::ge,
                               comparison::lt,
                               comparison::le,
                               comparison::exists,
                               comparison::in}[below(8)];
    made.value = made.compares == comparison::exists ? json_text{one_in(2) ? "true" : "false"}
                 : made.compares == comparison::in   ? json_text{"[1,2,\"x\",[]]"}
                                                     : json_text{std::to_string(below(6))};
    return made;
  }

  // Whoever has a route to a join is joined by it, as the check of workflows wants it; some are without a route.
  void add_joins() {
    for (auto left = below(3); left > 0 && steps_.size() > 2; --left) {
      auto& join = steps_[1 + below(steps_.size() - 1)];
      for (const auto& each : steps_) {
        const bool leads_here =
            each.on_error == join.id || std::ranges::find(each.next, join.id, &route::to) != each.next.end();
        const bool is_in = std::ranges::find(join.join, each.id) != join.join.end();
        if (!is_in && (leads_here || one_in(8))) {
          join.join.push_back(each.id);
        }
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<step> steps_;
};

// What suits the reducer, nearly always.
json::value value_for(const std::string& field, std::uint64_t chance) {
  const auto known = std::ranges::find(fields, field, &known_field::name);
  const auto number = static_cast<std::int64_t>((chance >> 8U) % 6);
  if (known == fields.end() || chance % 64 == 0) {
    return chance % 2 == 0 ? json::value(number) : json::value("x" + std::to_string(number));
  }
  switch (known->how) {
    case reducer::merge:
      return chance % 3 == 0 ? json::object{{"a", nullptr}, {"b", number}} : json::object{{"a", number}};
    case reducer::set_union:
      return chance % 3 == 0 ? json::value(json::array{number, number + 1, "x"}) : json::value(number);
    case reducer::append:
      return chance % 5 == 0 ? json::value(json::array{number}) : json::value(number);
    case reducer::fail:
    case reducer::last:
    case reducer::sum:
    case reducer::min:
    case reducer::max:
      break;
  }
  return number - 1;
}

// Three moods, so that some agree; what is voted on may differ in form, or be missing.
reference_work answered(const step& each, const std::string& agent, const std::string& about) {
  const auto chance = hash_of(about + agent);
  const auto mood = (chance >> 8U) % 3;
  reference_work given;
  given.failed = chance % 9 == 0;
  const bool is_bare = chance % 13 == 0;
  if (!each.consensus || (each.consensus->vote_on.empty() && each.consensus->vote_each.empty())) {
    given.value = value_for(each.output.str(), hash_of(about + std::to_string(mood)));
  } else if (is_bare) {
    given.value = json::object{{"by", agent}};
  } else if (each.consensus->vote_each.empty()) {
    given.value = json::object{{"by", agent}, {"said", std::array{"Yes, do", " yes,\tDO ", "no"}[mood]}};
  } else {
    given.value = json::object{{"said", json::array{mood, "x", static_cast<double>(mood + 1)}}};
  }
  return given;
}

}  // namespace

json::object without_words(json::object state) {
  if (auto* told = state.if_contains("last_error"); told != nullptr && told->is_object()) {
    told->get_object().erase("message");
    told->get_object().erase("hint");
  }
  return state;
}

workflow random_workflow(std::uint64_t seed) { return workflow_maker{seed}.make(); }

reference_world random_world(const workflow& flow, std::uint64_t seed) {
  std::vector<std::string> ids;
  for (const auto& each : flow.steps) {
    ids.push_back(each.id.str());
  }
  reference_world world;
  world.work = [ids, seed](
                   const step& each, const std::string& agent, const json::value* item, const json::object& state) {
    const auto about = std::to_string(seed) + each.id.str() + (item != nullptr ? words_of(*item) : "") +
                       words_of(without_words(state));
    if (!agent.empty()) {
      return answered(each, agent, about);
    }
    const auto chance = hash_of(about);
    reference_work given;
    given.failed = chance % 17 == 0;
    given.value = value_for(each.output.str(), chance);
    if ((chance >> 12U) % 5 == 0) {
      for (std::uint64_t left = 1 + (chance >> 16U) % 2; left > 0; --left) {
        const std::string field = fields[(chance >> (20U + 4 * left)) % fields.size()].name;
        given.deltas.emplace_back(field, value_for(field, hash_of(about + field)));
      }
    }
    if ((chance >> 32U) % 9 == 0 && !each.map) {
      given.route.emplace();
      for (std::uint64_t left = (chance >> 36U) % 4; left > 0; --left) {
        const auto pick = (chance >> (37U + 3 * left)) % (ids.size() * 12);
        given.route->push_back(pick == 0 ? "nobody" : ids[pick % ids.size()]);
      }
    }
    return given;
  };
  world.decide = [seed](const step& gate, int opened, int level) {
    const auto chance =
        hash_of(std::to_string(seed) + gate.id.str() + std::to_string(opened) + '/' + std::to_string(level));
    reference_decision decided;
    decided.superstep = opened + static_cast<int>(chance % 4);
    switch ((chance >> 4U) % 6) {
      case 0:
        decided.is = reference_decision::kind::rejected;
        break;
      case 1:
        decided.by_somebody = false;
        switch (gate.gate->levels[static_cast<std::size_t>(level) - 1].on_expiry) {
          case expiry_policy::approve:
            break;
          case expiry_policy::reject:
            decided.is = reference_decision::kind::rejected;
            break;
          case expiry_policy::escalate:
          case expiry_policy::fail:
            decided.is = reference_decision::kind::expired;
        }
        break;
      default:
        break;
    }
    if (decided.by_somebody && (chance >> 8U) % 4 == 0) {
      decided.edit = json::object{{"edited", static_cast<std::int64_t>((chance >> 12U) % 5)}, {"late", nullptr}};
      if ((chance >> 16U) % 3 == 0) {
        (*decided.edit)["items"] = json::array{1};
      }
    }
    return decided;
  };
  return world;
}

}  // namespace troupe
