#include "runtime/tree_census.hpp"

#include "messages/interfaces/any_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <utility>
#include <vector>

namespace troupe {
namespace {

// One that is known to its supervisor, and where it stands in the tree that grows.
struct found_actor {
  caf::actor actor;
  child_view* into;
};

using level = std::vector<found_actor>;

// All are asked before the first answer is waited for.
std::vector<std::pair<child_view*, ping_view>> ping_all(caf::scoped_actor& self, level& whom, milliseconds patience) {
  std::vector<std::pair<child_view*, ping_view>> answers;
  const auto ask = [&](const caf::actor& actor) {
    return self->request<caf::message_priority::high>(actor, patience, ping_query{});
  };
  std::vector<decltype(ask(caf::actor{}))> asked;
  asked.reserve(whom.size());
  for (const auto& each : whom) {
    asked.push_back(ask(each.actor));
  }
  for (std::size_t i = 0; i < whom.size(); ++i) {
    asked[i].receive([&](ping_view& told) { answers.emplace_back(whom[i].into, std::move(told)); },
                     [](const caf::error&) {});
  }
  return answers;
}

void take_over(child_view& into, const ping_view& told) {
  into.answers = true;
  into.age = told.age;
  into.waiting = told.waiting;
  into.step = told.step;
  into.attempt = told.attempt;
  into.pid = told.pid;
}

// `each(actor, view)` for every actor below the root that runs.
template <class Each>
child_view walk(caf::actor_system& system, const supervisor& root, milliseconds patience, Each each) {
  caf::scoped_actor self{system};
  child_view top;
  level asked;
  if (root) {
    asked.push_back({caf::actor_cast<caf::actor>(root), &top});
  }
  while (!asked.empty()) {
    level below;
    for (auto& [into, told] : ping_all(self, asked, patience)) {
      take_over(*into, told);
      into->children.reserve(told.children.size());  // pointers to them are kept
      for (auto& child : told.children) {
        into->children.push_back(std::move(child.facts));
        if (auto actor = caf::actor_cast<caf::actor>(child.actor)) {
          each(actor, into->children.back());
          below.push_back({std::move(actor), &into->children.back()});
        }
      }
    }
    asked = std::move(below);
  }
  return top;
}

}  // namespace

tree_view take_census(caf::actor_system& system, const supervisor& root, milliseconds patience) {
  auto top = walk(system, root, patience, [](const caf::actor&, const child_view&) {});
  return {std::move(top.children)};
}

caf::actor find_by_name(caf::actor_system& system,
                        const supervisor& root,
                        std::string_view name,
                        milliseconds patience) {
  caf::actor found;
  walk(system, root, patience, [&](const caf::actor& actor, const child_view& facts) {
    if (facts.name == name) {
      found = actor;
    }
  });
  return found;
}

}  // namespace troupe
