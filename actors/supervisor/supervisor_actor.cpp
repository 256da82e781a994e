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
#include <memory>
#include <optional>
#include <utility>

namespace troupe {
namespace {

struct supervisor_state {
  static inline const char* name = "supervisor";
  std::string own_name;
  std::vector<child_spec> children;
  std::vector<caf::actor_addr> running;
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

std::size_t index_of(const supervisor_state& state, const std::string& name) {
  const auto found = std::ranges::find(state.children, name, &child_spec::name);
  return static_cast<std::size_t>(found - state.children.begin());
}

void start(supervisor_pointer self, std::size_t index) {
  auto& state = self->state;
  const auto child = state.children[index].start(self->system());
  state.running[index] = caf::actor_cast<caf::actor_addr>(child);
  state.plan->started(index);
  self->monitor(state.running[index]);
}

void stop(supervisor_pointer self, std::size_t index) {
  auto& state = self->state;
  const auto& spec = state.children[index];
  caf::anon_send_exit(state.running[index], caf::exit_reason::user_shutdown);
  self->delayed_send(self, spec.stop_timeout, stop_overdue{spec.name});
}

void carry_out(supervisor_pointer self, const restart_plan::effect& effect) {
  auto& state = self->state;
  if (const auto* again = std::get_if<restart_plan::start_child>(&effect)) {
    const auto& name = state.children[again->index].name;
    spdlog::warn("{} starts {} again in {} ms", state.own_name, name, again->pause.count());
    if (again->pause.count() == 0) {
      self->send(self, restart_child{name});
    } else {
      self->delayed_send(self, again->pause, restart_child{name});
    }
  } else if (const auto* leave = std::get_if<restart_plan::stop_child>(&effect)) {
    stop(self, leave->index);
  } else if (const auto* end = std::get_if<restart_plan::end_self>(&effect)) {
    if (end->why.empty()) {
      self->quit(caf::exit_reason::user_shutdown);
    } else {
      spdlog::error("{} gives up: {}", state.own_name, end->why);
      self->quit(bug_reason(state.own_name, std::make_exception_ptr(std::runtime_error{end->why})));
    }
  }
}

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
  carry_out(self, state.plan->ended(index, abnormal_text(down.reason), self->clock().now()));
}

void kill_overdue(supervisor_pointer self, const stop_overdue& overdue) {
  const auto& child = self->state.running[index_of(self->state, overdue.name)];
  if (child) {
    spdlog::error("{} did not stop in time; it is killed", overdue.name);
    caf::anon_send_exit(child, caf::exit_reason::kill);
  }
}

supervisor::behavior_type behave(supervisor_pointer self,
                                 std::string name,
                                 std::vector<child_spec> children,
                                 restart_intensity intensity) {
  guard(self, name);
  auto& state = self->state;
  state.own_name = std::move(name);
  state.children = std::move(children);
  state.running.resize(state.children.size());
  std::vector<restart_plan::child> planned;
  for (const auto& child : state.children) {
    planned.push_back({child.name, child.type});
  }
  state.plan = std::make_unique<restart_plan>(std::move(planned), intensity);
  self->set_down_handler([=](caf::down_msg& down) { child_is_down(self, down); });
  self->set_exit_handler([=](const caf::exit_msg&) { carry_out(self, self->state.plan->stop()); });
  for (std::size_t index = 0; index < state.children.size(); ++index) {
    start(self, index);
  }
  return {
      [=](tree_query) { return self->state.plan->view(); },
      [=](const restart_child& again) {
        if (!self->state.plan->stopping()) {
          start(self, index_of(self->state, again.name));
        }
      },
      [=](const stop_overdue& overdue) { kill_overdue(self, overdue); },
  };
}

}  // namespace

supervisor spawn_supervisor(caf::actor_system& system,
                            std::string name,
                            std::vector<child_spec> children,
                            restart_intensity intensity) {
  return system.spawn(behave, std::move(name), std::move(children), intensity);
}

}  // namespace troupe
