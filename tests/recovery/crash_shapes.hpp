// Workflows of every shape, each of whose steps can be told to kill the process. Written from a list of steps, so that the
// matrix can go through them.
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

struct workflow_shape_case {
  std::string name;
  std::vector<shape_step> steps;
  std::string rest{};  ///< Steps that are no functions, as TOML, and state.
};

inline std::vector<workflow_shape_case> crash_shapes() {
  std::vector<workflow_shape_case> all;
  all.push_back({"chain", {{"a", {"b"}}, {"b", {"c"}}, {"c", {"d"}}, {"d", {}}}});

  workflow_shape_case fan{"fan", {{"start", {}}}};
  for (int i = 1; i <= 20; ++i) {
    const auto id = "f" + std::to_string(i);
    fan.steps[0].next.push_back(id);
    fan.steps.push_back({id, {"end"}, "", i % 5 == 0});
  }
  fan.steps.push_back({"end", {}});
  all.push_back(std::move(fan));

  all.push_back({"loop",
                 {{"first", {"a"}},
                  {"a", {"b", "count"}},
                  {"b", {}, "next = [{ to = 'a', when = { not = { path = '/turns', ge = 3 } } }, { to = 'end' }]\n"},
                  {"end", {"last"}, "", false},
                  {"last", {}}},
                 "[state.turns]\ninitial = 0\nreduce = 'sum'\n[[step]]\nid = 'count'\nfunction = 'probe.add'\n"
                 "args = { field = 'turns', value = 1 }\n"});

  all.push_back({"join",
                 {{"start", {"left", "right"}},
                  {"left", {"longer"}},
                  {"longer", {"both"}},
                  {"right", {"both"}},
                  {"both", {}, "join = ['longer', 'right']\n"}}});
  all.push_back({"gate",
                 {{"before", {"ask", "beside"}}, {"beside", {}}, {"after", {"last"}, "", false}, {"last", {}}},
                 "[[step]]\nid = 'ask'\ngate = { prompt = 'Go on?' }\nnext = 'after'\n"});
  all.push_back({"map",
                 {{"before", {"each"}}, {"after", {"last"}, "", false}, {"last", {}}},
                 "[state.list]\ninitial = [1, 2, 3]\n[[step]]\nid = 'each'\nmap = { over = '/list', as = 'x', agent = "
                 "'count' }\nprompt = '{{x}}'\nnext = 'after'\n"});
  return all;
}

/// The workflow, in which `victim` dies at `point` with each of its first attempts; an empty one: nobody does.
inline std::string text_of(const workflow_shape_case& shape, std::string_view victim, std::string_view point) {
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
