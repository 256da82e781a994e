// Workflows of every shape, each of whose steps can be told to kill the process, those of child runs too. Written from
// lists of steps, so that the matrix can go through them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A step that adds its name to `trace`. Where `outside`, an agent runs beside it that leaves a line outside of the
/// process; not for the first step, and not where conditions, a gate or a map lead to it.
struct shape_step {
  std::string id;
  std::vector<std::string> next;
  std::string more{};  ///< Further keys of the step, as TOML.
  bool outside = true;
};

/// One workflow file. Ids of steps are its own among all files of its shape.
struct shape_file {
  std::string name;
  std::vector<shape_step> steps;
  std::string rest{};  ///< Steps that are no functions, as TOML, inputs and state.
};

struct workflow_shape_case {
  std::vector<shape_file> files;  ///< The first is the run's, the others those of child runs.

  const std::string& name() const { return files.front().name; }
};

namespace shapes {

inline workflow_shape_case chain() { return {{{"chain", {{"a", {"b"}}, {"b", {"c"}}, {"c", {"d"}}, {"d", {}}}}}}; }

inline workflow_shape_case fan_out() {
  shape_file fan{"fan", {{"start", {}}}};
  for (int i = 1; i <= 20; ++i) {
    const auto id = "f" + std::to_string(i);
    fan.steps[0].next.push_back(id);
    fan.steps.push_back({id, {"end"}, "", i % 5 == 0});
  }
  fan.steps.push_back({"end", {}});
  return {{std::move(fan)}};
}

inline workflow_shape_case loop() {
  return {{{"loop",
            {{"first", {"a"}},
             {"a", {"b", "count"}},
             {"b", {}, "next = [{ to = 'a', when = { not = { path = '/turns', ge = 3 } } }, { to = 'end' }]\n"},
             {"end", {"last"}, "", false},
             {"last", {}}},
            "[state.turns]\ninitial = 0\nreduce = 'sum'\n[[step]]\nid = 'count'\nfunction = 'probe.add'\n"
            "args = { field = 'turns', value = 1 }\n"}}};
}

inline workflow_shape_case join() {
  return {{{"join",
            {{"start", {"left", "right"}},
             {"left", {"longer"}},
             {"longer", {"both"}},
             {"right", {"both"}},
             {"both", {}, "join = ['longer', 'right']\n"}}}}};
}

inline workflow_shape_case gate() {
  return {{{"gate",
            {{"before", {"ask", "beside"}}, {"beside", {}}, {"after", {"last"}, "", false}, {"last", {}}},
            "[[step]]\nid = 'ask'\ngate = { prompt = 'Go on?' }\nnext = 'after'\n"}}};
}

/// A map over `list`, which has these elements; `executor` is TOML.
inline std::string map_over(const std::string& list, const std::string& executor) {
  return "[state.list]\ninitial = " + list + "\n[[step]]\nid = 'each'\nmap = { over = '/list', as = 'x', " + executor +
         " }\nnext = 'after'\n";
}

/// What stands around a map: of them all, only the first has nothing beside it, and what a map leads to.
inline std::vector<shape_step> around_map() {
  return {{"before", {"each"}}, {"after", {"last"}, "", false}, {"last", {}}};
}

inline workflow_shape_case map() {
  return {{{"map", around_map(), map_over("[1, 2, 3]", "agent = 'count'") + "prompt = '{{x}}'\n"}}};
}

inline workflow_shape_case child() {
  return {{{"child", around_map(), map_over("[1]", "workflow = 'one-child.toml'")},
           {"one-child", {{"c1", {"c2"}}, {"c2", {"c3"}}, {"c3", {}}}, "[inputs.x]\n"}}};
}

/// Three children at once; of each, a loop's turn and a fan-out may be what dies.
inline workflow_shape_case children() {
  return {{{"children", around_map(), map_over("['a', 'b', 'c']", "workflow = 'each-child.toml'")},
           {"each-child", {{"e1", {"e2", "e3"}}, {"e2", {"e4"}}, {"e3", {"e4"}}, {"e4", {}}}, "[inputs.x]\n"}}};
}

/// Children of children, a step of each beside them.
inline workflow_shape_case two_levels() {
  return {{{"levels", around_map(), map_over("[1, 2]", "workflow = 'middle.toml'")},
           {"middle",
            {{"m1", {"m-each", "m2"}}, {"m2", {}}, {"m3", {}, "", false}},
            "[inputs.x]\n[state.list]\ninitial = [3, 4]\n[[step]]\nid = 'm-each'\nmap = { over = '/list', as = 'y', "
            "workflow = 'leaf.toml' }\nnext = 'm3'\n"},
           {"leaf", {{"l1", {"l2"}}, {"l2", {}}}, "[inputs.y]\n"}}};
}

/// Children that wait for a person, beside one another.
inline workflow_shape_case asking_children() {
  return {{{"asking", around_map(), map_over("[1, 2]", "workflow = 'asks.toml'")},
           {"asks",
            {{"g1", {"g-ask"}}, {"g2", {}, "", false}},
            "[inputs.x]\n[[step]]\nid = 'g-ask'\ngate = { prompt = 'Go on?' }\nnext = 'g2'\n"}}};
}

}  // namespace shapes

inline std::vector<workflow_shape_case> crash_shapes() {
  return {shapes::chain(),
          shapes::fan_out(),
          shapes::loop(),
          shapes::join(),
          shapes::gate(),
          shapes::map(),
          shapes::child(),
          shapes::children(),
          shapes::two_levels(),
          shapes::asking_children()};
}

/// The workflow, in which `victim` kills the process at `point` with each of its first attempts. One that has no such step
/// is as ever.
inline std::string text_of(const shape_file& shape, std::string_view victim, std::string_view point) {
  std::string text = "name = '" + shape.name + "'\nstart = '" + shape.steps.front().id +
                     "'\n[limits]\nmax_concurrent = 32\n[state.trace]\ninitial = []\nreduce = 'append'\n";
  std::string agents;
  for (const auto& each : shape.steps) {
    const bool dies = each.id == victim;
    std::string next;
    for (const auto& to : each.next) {
      next += (next.empty() ? "'" : ", '") + to + "'";
    }
    text += "[[step]]\nid = '" + each.id + "'\nfunction = 'probe.crash'\nargs = { point = '" +
            (dies ? std::string{point} : "after_commit") + "', on_attempt = " + (dies ? "1" : "99") +
            ", field = 'trace', value = '" + each.id + "' }\n" + each.more;
    for (const auto& other : shape.steps) {
      const bool leads_there = next.find('\'' + other.id + '\'') != std::string::npos;
      next += leads_there && other.outside ? ", '" + other.id + "_out'" : "";
    }
    text += next.empty() ? "" : "next = [" + next + "]\n";
    if (each.outside && &each != &shape.steps.front()) {
      agents += "[[step]]\nid = '" + each.id + "_out'\nagent = 'count'\nprompt = 'x'\n";
    }
  }
  return text + shape.rest + agents;
}

}  // namespace troupe
