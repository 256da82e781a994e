#include "tests/support/reference_engine.hpp"

#include "tests/support/reference_votes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>
#include <tuple>

namespace troupe {
namespace {

namespace json = boost::json;

using reference::answer;
using reference::collected;
using reference::has_what_is_voted_on;
using reference::is_true;
using reference::look;
using reference::patched;
using reference::reduced;
using reference::voted;
using reference::voted_on_each;

using route_indices = std::vector<int>;

std::string text_of(const route_indices& path) {
  std::string text;
  for (std::size_t i = 0; i < path.size();) {
    std::size_t end = i;
    while (end < path.size() && path[end] == path[i]) {
      ++end;
    }
    text += (text.empty() ? "" : ".") + std::to_string(path[i]) + (end - i > 1 ? '*' + std::to_string(end - i) : "");
    i = end;
  }
  return text;
}

route_indices longer(route_indices path, std::size_t index) {
  path.push_back(static_cast<int>(index));
  return path;
}

struct change {
  std::string step;
  std::string writer;  // A task, for the reducer that lets only one write.
  std::string field;   // Empty: an edit of the whole state.
  json::value value;
  route_indices path;
};

class reference_engine {
 public:
  reference_engine(const workflow& flow, const reference_world& world) : flow_(flow), world_(world) {}

  reference_run run() {
    json::object initial;
    for (const auto& field : flow_.state) {
      if (field.initial) {
        initial[field.name.str()] = json::parse(field.initial->str());
      }
    }
    state_ = std::move(initial);
    reach({{&declared(flow_.start.str()), {}}});
    while (!over_) {
      if (number_ > world_.supersteps_max) {
        told_.code = "...";
        told_.degraded = false;
        break;
      }
      play();
      ++number_;
    }
    return std::move(told_);
  }

 private:
  struct place {
    const step* declared;
    route_indices path;
  };

  struct waiting_gate {
    const step* declared;
    route_indices path;
    int opened;
    int level;
    std::string action;   // In words.
    bool is_due = false;  // somebody has decided
    reference_decision decided{};
  };

  struct arrival {
    std::string join;
    std::string from;
    route_indices path;
  };

  struct leaving {
    const step* declared;
    route_indices path;
    bool failed;
    std::optional<std::vector<std::string>> route;
  };

  // A gate that is to ask, behind a level of it, or at the one that is known already (from 0).
  struct asking {
    place at;
    int after;
    std::optional<int> level;
  };

  struct fault_of_step {
    route_indices path;
    std::string code;
    std::string step;
  };

  // What the steps and gates of a superstep have come to.
  struct outcome {
    std::vector<change> changes;
    std::vector<leaving> ways_on;
    std::vector<asking> again;
    std::vector<fault_of_step> faults;
  };

  const step* find(const std::string& id) const {
    const auto found = std::ranges::find(flow_.steps, id, [](const step& each) { return each.id.str(); });
    return found == flow_.steps.end() ? nullptr : &*found;
  }

  const step& declared(const std::string& id) const { return *find(id); }

  void end(const std::string& code, const std::string& where) {
    over_ = true;
    told_.code = code;
    told_.step = where;
  }

  // A fault that somebody catches is a change and a way on; else the first one of the graph ends the run.
  void fault(const place& at, const std::string& code) {
    if (at.declared->on_error) {
      json::object shown{{"code", code}, {"step", at.declared->id.str()}};
      now_.changes.push_back({at.declared->id.str(), at.declared->id.str(), "last_error", std::move(shown), at.path});
      now_.ways_on.push_back({at.declared, at.path, true, {}});
    } else {
      now_.faults.push_back({at.path, code, at.declared->id.str()});
    }
  }

  bool may_execute(const place& at, const std::string& of = "") {
    told_.supersteps.back().tasks.push_back(at.declared->id.str() + of);
    if (flow_.limits.max_steps > 0 && told_.executed >= flow_.limits.max_steps) {
      return false;
    }
    ++told_.executed;
    return true;
  }

  void add_own(const place& at, const std::string& writer, const reference_work& given) {
    for (const auto& [field, value] : given.deltas) {
      now_.changes.push_back({at.declared->id.str(), writer, field, value, at.path});
    }
  }

  void play_step(const place& at) {
    const auto& id = at.declared->id.str();
    const json::object seen = state_.as_object();
    if (at.declared->gate) {
      now_.changes.push_back({id,
                              id,
                              at.declared->output.str(),
                              json::object{{"automatic", true}, {"by", json::array{}}, {"decision", "approved"}},
                              at.path});
      now_.ways_on.push_back({at.declared, at.path, false, {}});
    } else if (at.declared->map) {
      play_map(at, seen);
    } else if (!at.declared->agents.empty()) {
      play_agents(at, seen);
    } else if (!may_execute(at)) {
      fault_of_steps(at);
    } else {
      auto given = world_.work(*at.declared, "", nullptr, seen);
      if (given.failed) {
        fault(at, "AGENT_EXIT");
        return;
      }
      add_own(at, id, given);
      if (given.deltas.empty()) {
        now_.changes.push_back({id, id, at.declared->output.str(), given.value, at.path});
      }
      now_.ways_on.push_back({at.declared, at.path, false, given.route});
    }
  }

  void fault_of_steps(const place& at) {
    now_.faults.push_back({at.path, "MAX_STEPS_EXCEEDED", at.declared->id.str()});
  }

  // All of them, whoever fails; then the quorum and the verdict.
  void play_agents(const place& at, const json::object& seen) {
    const auto& asked = at.declared->agents;
    const auto policy = at.declared->consensus.value_or(consensus_policy{});
    std::vector<answer> answers;
    bool is_short = false;
    for (const auto& agent : asked) {
      if (!may_execute(at, ':' + agent.str())) {
        is_short = true;
        continue;
      }
      const auto given = world_.work(*at.declared, agent.str(), nullptr, seen);
      if (!given.failed && has_what_is_voted_on(policy, given.value)) {
        answers.push_back({agent.str(), given.value});
      }
    }
    if (is_short) {
      fault_of_steps(at);
      return;
    }
    told_.degraded = told_.degraded || (asked.size() > 1 && answers.size() < asked.size());
    const int two_thirds = static_cast<int>(2 * asked.size() + 2) / 3;
    const int quorum = policy.quorum.value_or(two_thirds);
    const int fewest = std::max(1, std::min(quorum, policy.min_answers.value_or(quorum)));
    if (static_cast<int>(answers.size()) < fewest) {
      fault(at, asked.size() == 1 ? "AGENT_EXIT" : "QUORUM_NOT_MET");
      return;
    }
    auto result = policy.strategy != consensus_strategy::vote ? std::optional{collected(answers, asked.size())}
                  : policy.vote_each.empty()                  ? voted(policy, answers)
                                                              : std::optional{voted_on_each(policy, answers, quorum)};
    if (!result) {
      fault(at, "CONSENSUS_CONFLICT");
      return;
    }
    const auto& id = at.declared->id.str();
    now_.changes.push_back({id, id, at.declared->output.str(), *std::move(result), at.path});
    now_.ways_on.push_back({at.declared, at.path, false, {}});
  }

  void play_map(const place& at, const json::object& seen) {
    const auto& id = at.declared->id.str();
    const auto* over = look(state_, at.declared->map->over);
    if (over == nullptr || !over->is_array()) {
      fault(at, "INVALID_INPUT");
      return;
    }
    json::array values;
    std::vector<std::pair<std::string, reference_work>> all;
    bool has_failed = false;
    bool is_short = false;
    bool has_own = false;
    const json::array items = over->as_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!may_execute(at, '/' + std::to_string(i))) {
        is_short = true;
        continue;
      }
      auto given = world_.work(*at.declared, "", &items[i], seen);
      has_failed = has_failed || given.failed;
      has_own = has_own || !given.deltas.empty();
      values.push_back(given.value);
      all.emplace_back(id + '/' + std::to_string(i), std::move(given));
    }
    if (is_short) {
      fault_of_steps(at);
    } else if (has_failed) {
      fault(at, "AGENT_EXIT");
    } else {
      for (const auto& [writer, given] : all) {
        add_own(at, writer, given);
      }
      if (!has_own) {
        now_.changes.push_back({id, id, at.declared->output.str(), std::move(values), at.path});
      }
      now_.ways_on.push_back({at.declared, at.path, false, {}});
    }
  }

  static std::string action_of(const step& gate, const json::value& state) {
    const auto* found = gate.gate->action ? look(state, *gate.gate->action) : nullptr;
    return found != nullptr ? words_of(*found) : "";
  }

  static std::optional<int> next_level(const waiting_gate& gate, const json::value& state) {
    const auto& levels = gate.declared->gate->levels;
    for (auto i = static_cast<std::size_t>(gate.level); i < levels.size(); ++i) {
      if (!levels[i].when || is_true(*levels[i].when, state)) {
        return static_cast<int>(i);
      }
    }
    return std::nullopt;
  }

  void take_gate(const waiting_gate& gate, bool is_void, const json::value& seen) {
    const auto& decided = gate.decided;
    const place at{gate.declared, gate.path};
    const auto& id = gate.declared->id.str();
    const auto next = next_level(gate, seen);
    if (decided.is == reference_decision::kind::expired) {
      const auto& level = gate.declared->gate->levels.at(static_cast<std::size_t>(gate.level) - 1);
      if (level.on_expiry == expiry_policy::escalate && next) {
        now_.again.push_back({at, gate.level, next});
      } else {
        fault(at, "TASK_TIMEOUT");
      }
      return;
    }
    const bool approved = decided.is == reference_decision::kind::approved;
    if (is_void) {
      now_.again.push_back({at, gate.level - 1, {}});
      return;
    }
    if (decided.edit) {
      now_.changes.push_back({id, id, "", *decided.edit, at.path});
    }
    if (approved && next) {
      now_.again.push_back({at, gate.level, next});
      return;
    }
    json::object value{{"decision", approved ? "approved" : "rejected"}};
    if (decided.by_somebody) {
      value["by"] = json::array{"ann"};
    } else {
      value["by"] = json::array{};
      value["expired"] = true;
    }
    now_.changes.push_back({id, id, gate.declared->output.str(), std::move(value), at.path});
    now_.ways_on.push_back({gate.declared, gate.path, false, {}});
  }

  // What somebody approved of is what follows sees; what he edits himself is what he approves of.
  bool is_void(const waiting_gate& gate, const json::value& after) const {
    if (gate.decided.is != reference_decision::kind::approved || !gate.declared->gate->action) {
      return false;
    }
    const auto edited = gate.decided.edit ? patched(state_, *gate.decided.edit) : state_;
    return action_of(*gate.declared, state_) != gate.action ||
           action_of(*gate.declared, edited) != action_of(*gate.declared, after);
  }

  void take_gates(std::vector<waiting_gate> gates) {
    for (auto& gate : gates) {
      gate.decided = world_.decide(*gate.declared, gate.opened, gate.level);
      told_.supersteps.back().taken.push_back(gate.declared->id.str() + '/' + std::to_string(gate.opened) + '/' +
                                              std::to_string(gate.level));
    }
    const auto of_steps = now_;
    std::vector<bool> is_known_void(gates.size(), false);
    for (bool again = true; again;) {
      now_ = of_steps;
      for (std::size_t i = 0; i < gates.size(); ++i) {
        if (!is_known_void[i] && gates[i].decided.edit) {
          now_.changes.push_back({gates[i].declared->id.str(), "", "", *gates[i].decided.edit, gates[i].path});
        }
      }
      const auto seen = merged().first;
      now_ = of_steps;
      for (std::size_t i = 0; i < gates.size(); ++i) {
        take_gate(gates[i], is_known_void[i], seen);
      }
      const auto [after, refused] = merged();
      again = false;
      for (std::size_t i = 0; i < gates.size() && refused.code.empty(); ++i) {
        if (!is_known_void[i] && is_void(gates[i], after)) {
          is_known_void[i] = true;
          again = true;
        }
      }
    }
  }

  // Those whose time has come; where nothing else is to be given, those whose time comes first.
  std::vector<waiting_gate> decided_gates() {
    int until = number_;
    const auto time_of = [&](const waiting_gate& gate) {
      return world_.decide(*gate.declared, gate.opened, gate.level).superstep;
    };
    if (standing_.empty()) {
      int first = time_of(gates_.at(0));
      for (const auto& gate : gates_) {
        first = std::min(first, time_of(gate));
      }
      until = std::max(until, first);
    }
    // Of each step one visit at a time, the first of the graph.
    std::ranges::stable_sort(gates_, {}, &waiting_gate::path);
    std::set<const step*> taken;
    for (const auto& at : standing_) {
      taken.insert(at.declared);
    }
    std::vector<waiting_gate> decided;
    std::vector<waiting_gate> others;
    for (auto& gate : gates_) {
      gate.is_due = gate.is_due || time_of(gate) <= until;
      (gate.is_due && taken.insert(gate.declared).second ? decided : others).push_back(gate);
    }
    gates_ = std::move(others);
    return decided;
  }

  void play() {
    told_.supersteps.push_back({number_});
    now_ = {};
    for (const auto& at : standing_) {
      told_.supersteps.back().steps.push_back(at.declared->id.str() + '@' + text_of(at.path));
    }
    const auto decided = decided_gates();
    const auto executed_before = told_.executed;
    for (const auto& at : standing_) {
      play_step(at);
    }
    take_gates(decided);
    idle_ = !decided.empty() || told_.executed > executed_before ? 0 : idle_ + 1;
    conclude();
    told_.supersteps.back().state = state_.as_object();
  }

  reducer reducer_of(const std::string& field) const {
    for (const auto& each : flow_.state) {
      if (each.name.str() == field) {
        return each.reduce;
      }
    }
    return field == "last_error" ? reducer::last : reducer::fail;
  }

  // All of the changes in the order of the graph, or none and why.
  std::pair<json::value, fault_of_step> merged() const {
    auto changes = now_.changes;
    std::ranges::stable_sort(changes, {}, &change::path);
    auto state = state_;
    std::set<std::tuple<std::string, std::string>> writers;
    for (const auto& each : changes) {
      if (each.field.empty()) {
        state = patched(std::move(state), each.value);
        continue;
      }
      const auto how = reducer_of(each.field);
      if (how == reducer::fail) {
        writers.emplace(each.field, each.writer);
        const auto several =
            std::ranges::count_if(writers, [&](const auto& known) { return std::get<0>(known) == each.field; });
        if (several > 1) {
          return {state_, {each.path, "MERGE_CONFLICT", each.step}};
        }
      }
      auto [next, refused] = reduced(state, each.field, each.value, how);
      if (!refused.empty()) {
        return {state_, {each.path, refused, each.step}};
      }
      state = std::move(next);
    }
    return {std::move(state), {}};
  }

  void conclude() {
    if (!now_.faults.empty()) {
      const auto& first = *std::ranges::min_element(now_.faults, {}, &fault_of_step::path);
      end(first.code, first.step);
      return;
    }
    auto [state, refused] = merged();
    if (!refused.code.empty()) {
      end(refused.code, refused.step);
      return;
    }
    state_ = std::move(state);
    std::ranges::stable_sort(now_.ways_on, {}, &leaving::path);
    std::vector<place> reached;
    for (const auto& each : now_.ways_on) {
      if (!leave(each, reached)) {
        end("NO_ROUTE", each.declared->id.str());
        return;
      }
    }
    run_joins(reached);
    reach(reached);
    if (over_) {
      return;
    }
    if (standing_.empty() && gates_.empty()) {
      if (arrivals_.empty()) {
        end("", "");
      } else {
        end("NO_PROGRESS", arrivals_.front().join);
      }
    } else if (!standing_.empty() && idle_ > static_cast<int>(flow_.steps.size())) {
      end("NO_PROGRESS", standing_.front().declared->id.str());
    }
  }

  bool leave(const leaving& from, std::vector<place>& reached) {
    const auto& next = from.declared->next;
    std::vector<std::pair<std::string, std::size_t>> ways;
    if (from.failed) {
      ways.emplace_back(from.declared->on_error->str(), next.size());
    } else if (from.route) {
      for (std::size_t i = 0; i < from.route->size(); ++i) {
        const auto& to = (*from.route)[i];
        const auto named = std::ranges::find(next, to, [](const route& each) { return each.to.str(); });
        const auto* target = find(to);
        const bool is_strange = target == nullptr || (!target->join.empty() && !joins(*target, *from.declared));
        if (is_strange) {
          return false;
        }
        ways.emplace_back(to,
                          named != next.end() ? static_cast<std::size_t>(named - next.begin())
                                              : next.size() + 1 + flow_.steps.size() + i);
      }
    } else if (std::ranges::any_of(next, [](const route& each) { return each.when.has_value(); })) {
      std::size_t i = 0;
      while (i < next.size() && next[i].when && !is_true(*next[i].when, state_)) {
        ++i;
      }
      if (i == next.size()) {
        return false;
      }
      ways.emplace_back(next[i].to.str(), i);
    } else {
      for (std::size_t i = 0; i < next.size(); ++i) {
        ways.emplace_back(next[i].to.str(), i);
      }
    }
    for (const auto& [to, index] : ways) {
      const auto& target = declared(to);
      if (joins(target, *from.declared)) {
        arrive(to, from.declared->id.str(), longer(from.path, index));
      } else {
        reached.push_back({&target, longer(from.path, index)});
      }
    }
    for (std::size_t i = 0; i < flow_.steps.size() && !from.failed; ++i) {
      const auto& join = flow_.steps[i];
      const bool is_named = std::ranges::any_of(next, [&](const route& each) { return each.to == join.id; });
      if (joins(join, *from.declared) && !is_named) {
        arrive(join.id.str(), from.declared->id.str(), longer(from.path, next.size() + 1 + i));
      }
    }
    return true;
  }

  static bool joins(const step& join, const step& from) {
    return std::ranges::find(join.join, from.id) != join.join.end();
  }

  // Once, until the join has run.
  void arrive(const std::string& join, const std::string& from, route_indices path) {
    for (const auto& each : arrivals_) {
      if (each.join == join && each.from == from) {
        return;
      }
    }
    arrivals_.push_back({join, from, std::move(path)});
  }

  void run_joins(std::vector<place>& reached) {
    for (const auto& each : flow_.steps) {
      const auto of_it = [&](const arrival& come) { return come.join == each.id.str(); };
      if (each.join.empty() ||
          std::ranges::count_if(arrivals_, of_it) < static_cast<std::ptrdiff_t>(each.join.size())) {
        continue;
      }
      for (const auto& come : arrivals_) {
        if (of_it(come)) {
          reached.push_back({&each, come.path});
        }
      }
      std::erase_if(arrivals_, of_it);
    }
  }

  // Each step once, by the smallest of its paths; gates ask, unless nobody need be asked.
  void reach(std::vector<place> reached) {
    std::ranges::stable_sort(reached, {}, &place::path);
    std::vector<place> once;
    for (const auto& at : reached) {
      if (std::ranges::none_of(once, [&](const place& each) { return each.declared == at.declared; })) {
        once.push_back(at);
      }
    }
    standing_.clear();
    auto gates = now_.again;
    for (const auto& at : once) {
      if (at.declared->gate) {
        gates.push_back({at, 0, {}});
      } else {
        standing_.push_back(at);
      }
    }
    std::ranges::stable_sort(gates, {}, [](const asking& each) { return each.at.path; });
    for (const auto& each : gates) {
      ask(each);
      if (over_) {
        standing_.clear();
        return;
      }
    }
    std::ranges::stable_sort(standing_, {}, &place::path);
  }

  // Once, as any other step.
  void stand(const place& at) {
    if (std::ranges::find(standing_, at.declared, &place::declared) == standing_.end()) {
      standing_.push_back(at);
    }
  }

  void ask(const asking& reached) {
    const auto& at = reached.at;
    const auto& policy = *at.declared->gate;
    if (reached.after == 0 && policy.approved_when && is_true(*policy.approved_when, state_)) {
      stand(at);
      return;
    }
    const waiting_gate behind{at.declared, at.path, 0, reached.after, {}};
    const auto found = reached.level ? reached.level : next_level(behind, state_);
    if (!found) {
      stand(at);
      return;
    }
    if (policy.action && look(state_, *policy.action) == nullptr) {
      end("INVALID_INPUT", at.declared->id.str());
      return;
    }
    const int next = told_.supersteps.empty() ? 1 : number_ + 1;
    const int level = *found + 1;
    const bool is_asked = std::ranges::any_of(gates_, [&](const waiting_gate& gate) {
      return gate.declared == at.declared && gate.opened == next && gate.level == level;
    });
    if (!is_asked) {
      gates_.push_back({at.declared, at.path, next, level, action_of(*at.declared, state_)});
    }
  }

  const workflow& flow_;
  const reference_world& world_;
  reference_run told_;
  bool over_ = false;
  int number_ = 1;
  int idle_ = 0;  // supersteps in a row in which nothing was done
  json::value state_;
  std::vector<place> standing_;
  std::vector<waiting_gate> gates_;
  std::vector<arrival> arrivals_;
  outcome now_;
};

}  // namespace

reference_run run_by_reference(const workflow& flow, const reference_world& world) {
  return reference_engine{flow, world}.run();
}

}  // namespace troupe
