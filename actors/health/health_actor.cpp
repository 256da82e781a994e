#include "actors/health/health_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/health/health_record.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <utility>

namespace troupe {
namespace {

struct health_state {
  static inline const char* name = "health";
  health_deps deps;
  std::optional<health_record> record;
};

using health_pointer = health_actor::stateful_pointer<health_state>;
using moment = std::chrono::steady_clock::time_point;

constexpr milliseconds pause_before_asking_again{100};

moment now(health_pointer self) { return self->clock().now(); }

void report_actor(health_record::news news, const std::string& name, milliseconds limit) {
  switch (news) {
    case health_record::news::none:
      return;
    case health_record::news::lost:
      spdlog::warn("{} has not answered for {}", name, to_text(limit));
      return;
    case health_record::news::back:
      spdlog::info("{} answers again", name);
      return;
  }
}

void report_job(health_record::news news, const job_health& job) {
  switch (news) {
    case health_record::news::none:
      return;
    case health_record::news::lost:
      spdlog::warn("{} had no success for two periods, the last {}",
                   job.name,
                   job.last_success ? to_rfc3339(*job.last_success) : "never");
      return;
    case health_record::news::back:
      spdlog::info("{} has succeeded again", job.name);
      return;
  }
}

void ask(health_pointer self, std::size_t index, moment since);

void ask_again(health_pointer self, std::size_t index, moment since) {
  auto& state = self->state;
  if (now(self) - since >= state.deps.limit) {
    report_actor(state.record->silent(index), state.deps.actors[index].name, state.deps.limit);
  } else {
    self->delayed_send(self, pause_before_asking_again, later{[=] { ask(self, index, since); }});
  }
}

// Invariant 2.
void ask(health_pointer self, std::size_t index, moment since) {
  auto& state = self->state;
  const auto whom = state.deps.actors[index].find();
  if (!whom) {
    ask_again(self, index, since);
    return;
  }
  const auto asked = now(self);
  const auto left = std::chrono::ceil<milliseconds>(state.deps.limit - (asked - since));
  self->request<caf::message_priority::high>(whom, left, ping_query{})
      .then(
          [=](const ping_view& answer) {
            auto& me = self->state;
            const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(now(self) - asked);
            report_actor(me.record->answered(index, me.deps.clock->now(), latency, answer.waiting),
                         me.deps.actors[index].name,
                         me.deps.limit);
          },
          [=](const caf::error&) { ask_again(self, index, since); });
}

// Invariant 3. A vacuum that does not answer is the business of its ping.
void ask_vacuum(health_pointer self) {
  auto& state = self->state;
  if (const auto vacuum = state.deps.vacuum.get()) {
    self->request(vacuum, state.deps.limit, vacuum_query{})
        .then(
            [=](const vacuum_view& told) {
              const job_health job{"vacuum", told.healthy, told.history.last_success};
              report_job(self->state.record->told(job), job);
            },
            [](const caf::error&) {});
  }
}

void begin_round(health_pointer self) {
  auto& state = self->state;
  state.record->begin(state.deps.clock->now());
  for (std::size_t index = 0; index < state.deps.actors.size(); ++index) {
    ask(self, index, now(self));
  }
  ask_vacuum(self);
  self->delayed_send(self, state.deps.every, later{[=] { begin_round(self); }});
}

health_actor::behavior_type behave(health_pointer self, health_deps deps) {
  guard(self, "health");
  auto& state = self->state;
  state.deps = std::move(deps);
  std::vector<std::string> names;
  for (const auto& each : state.deps.actors) {
    names.push_back(each.name);
  }
  state.record.emplace(names);
  begin_round(self);
  return {
      [=](health_query) { return self->state.record->view(); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

health_actor spawn_health(caf::actor_system& system, health_deps deps) { return system.spawn(behave, std::move(deps)); }

}  // namespace troupe
