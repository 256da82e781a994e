#include "actors/supervisor/supervisor_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/supervisor/restart_plan.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

namespace troupe {
namespace {

struct supervisor_state {
  static inline const char* name = "supervisor";
  std::string own_name;
  std::vector<child_spec> children;
  std::vector<caf::actor_addr> running;
  std::vector<std::int64_t> lives;  // of each child, the one that runs included
  std::unique_ptr<restart_plan> plan;

  supervisor_state() = default;
  supervisor_state(const supervisor_state&) = delete;
  supervisor_state& operator=(const supervisor_state&) = delete;

  // A supervisor that dies of a bug takes its children with it. Not by links: one that is killed would take us along,
  // for CAF lets nobody trap that reason.
  ~supervisor_state() {
    for (const auto& child : running) {
      caf::anon_send_exit(child, caf::exit_reason::kill);
    }
  }
};

using supervisor_pointer = supervisor::stateful_pointer<supervisor_state>;

restart_plan::time now(supervisor_pointer self) { return self->clock().now(); }

// Nothing, or why it could not be started.
std::string start(supervisor_pointer self, std::size_t index) {
  auto& state = self->state;
  const auto& spec = state.children[index];
  try {
    const auto child = spec.start(self->system());
    state.running[index] = caf::actor_cast<caf::actor_addr>(child);
    self->monitor(child);
  } catch (const std::exception& thrown) {
    spdlog::error("{} cannot start {}: {}", state.own_name, spec.name, thrown.what());
    return thrown.what();
  }
  ++state.lives[index];
  state.plan->started(index);
  return {};
}

restart_plan::effect start_due(supervisor_pointer self, std::int64_t number) {
  auto& plan = *self->state.plan;
  const auto those = plan.due(number);
  for (const auto index : those) {
    if (const auto failure = start(self, index); !failure.empty()) {
      return plan.start_failed(index, failure, now(self));
    }
  }
  return those.empty() ? restart_plan::effect{restart_plan::wait{}} : plan.all_started(now(self));
}

// One for each effect of the plan.
struct executor {
  supervisor_pointer self;

  void operator()(restart_plan::wait) const {}

  void operator()(const restart_plan::restart& effect) const {
    if (effect.pause.count() == 0) {
      self->send(self, restart_due{effect.number});
    } else {
      self->delayed_send(self, effect.pause, restart_due{effect.number});
    }
  }

  void operator()(const restart_plan::stop_child& effect) const {
    auto& state = self->state;
    const auto& spec = state.children[effect.index];
    caf::anon_send_exit(state.running[effect.index], caf::exit_reason::user_shutdown);
    self->delayed_send(self, spec.stop_timeout, stop_overdue{spec.name, state.lives[effect.index]});
  }

  void operator()(const restart_plan::end_self& effect) const {
    auto& state = self->state;
    if (effect.why.empty()) {
      self->quit(caf::exit_reason::user_shutdown);
    } else {
      spdlog::error("{} gives up: {}", state.own_name, effect.why);
      self->quit(abnormal_reason(effect.why));
    }
  }
};

void carry_out(supervisor_pointer self, const restart_plan::effect& effect) { std::visit(executor{self}, effect); }

// Asked to end, or ended well: both are normal ends of a child.
std::string abnormal_text(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown ? std::string{} : reason_text(reason);
}

void child_is_down(supervisor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto found = std::ranges::find(state.running, down.source);
  if (found == state.running.end()) {
    return;
  }
  *found = nullptr;
  const auto index = static_cast<std::size_t>(found - state.running.begin());
  const auto reason = abnormal_text(down.reason);
  if (!reason.empty()) {
    spdlog::warn("{} lost {}: {}", state.own_name, state.children[index].name, reason);
  }
  carry_out(self, state.plan->ended(index, reason, now(self)));
}

void kill_overdue(supervisor_pointer self, const stop_overdue& overdue) {
  const auto& state = self->state;
  const auto found = std::ranges::find(state.children, overdue.name, &child_spec::name);
  const auto index = static_cast<std::size_t>(found - state.children.begin());
  if (state.running[index] && state.lives[index] == overdue.life) {
    spdlog::error("{} did not stop in time; it is killed", overdue.name);
    caf::anon_send_exit(state.running[index], caf::exit_reason::kill);
  }
}

void tell_children(const supervisor_state& state, ping_view& into) {
  auto facts = state.plan->view();
  for (std::size_t index = 0; index < facts.size(); ++index) {
    into.children.push_back({std::move(facts[index]), state.running[index]});
  }
}

supervisor::behavior_type behave(supervisor_pointer self,
                                 std::string name,
                                 std::vector<child_spec> children,
                                 restart_intensity intensity,
                                 restart_strategy strategy) {
  guard(self, name, [self](ping_view& into) { tell_children(self->state, into); });
  auto& state = self->state;
  state.own_name = std::move(name);
  state.children = std::move(children);
  state.running.resize(state.children.size());
  state.lives.resize(state.children.size());
  std::vector<restart_plan::child> planned;
  for (const auto& child : state.children) {
    planned.push_back({child.name, child.type});
  }
  state.plan = std::make_unique<restart_plan>(std::move(planned), intensity, strategy);
  self->set_down_handler([=](caf::down_msg& down) { child_is_down(self, down); });
  self->set_exit_handler([=](const caf::exit_msg&) { carry_out(self, self->state.plan->stop()); });
  const auto first = start_due(self, 0);
  if (const auto* end = std::get_if<restart_plan::end_self>(&first)) {
    throw std::runtime_error{end->why};  // an actor cannot quit before it has a behaviour
  }
  carry_out(self, first);
  return {
      [=](const restart_due& again) { carry_out(self, start_due(self, again.number)); },
      [=](const stop_overdue& overdue) { kill_overdue(self, overdue); },
  };
}

}  // namespace

supervisor spawn_supervisor(caf::actor_system& system,
                            std::string name,
                            std::vector<child_spec> children,
                            restart_intensity intensity,
                            restart_strategy strategy) {
  return system.spawn(behave, std::move(name), std::move(children), intensity, strategy);
}

}  // namespace troupe
