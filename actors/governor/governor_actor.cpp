#include "actors/governor/governor_actor.hpp"

#include "actors/actor_guard.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace troupe {
namespace {

using permit_promise = caf::typed_response_promise<permit_reply>;

constexpr milliseconds read_timeout{30'000};
constexpr milliseconds pause_before_reading{1'000};

struct governor_state {
  static inline const char* name = "governor";

  governor_deps deps;
  std::optional<admission> brain;
  std::unordered_map<admission::question, permit_promise> promises;
  std::map<caf::actor_addr, admission::holder> holders;  // monitored until they die
  admission::question newest_question = 0;
  admission::holder newest_holder = 0;
  std::optional<instant> armed;
  std::uint64_t timer = 0;  // an older one that comes is none

  governor_state() = default;
  governor_state(const governor_state&) = delete;
  governor_state& operator=(const governor_state&) = delete;

  // Invariant 1: a promise that is dropped would never be answered.
  ~governor_state() {
    for (auto& [number, promise] : promises) {
      promise.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
  }
};

using governor_pointer = governor::stateful_pointer<governor_state>;

moment now(governor_pointer self) { return {self->state.deps.clock->now(), self->clock().now()}; }

void carry_out(governor_pointer self, const admission::decisions& what);

// Invariant 4. A timer cannot be taken back: one that comes too early looks, and arms the next.
void arm(governor_pointer self, std::optional<instant> wake) {
  auto& state = self->state;
  if (!wake) {
    state.armed.reset();
    ++state.timer;
    return;
  }
  const auto at = self->clock().now();
  if (state.armed && *state.armed <= *wake && *state.armed > at) {
    return;
  }
  state.armed = wake;
  const auto number = ++state.timer;
  const auto pause = std::max(std::chrono::ceil<milliseconds>(*wake - at), milliseconds{0});
  self->delayed_send(self, pause, later{[=] {
                       if (number == self->state.timer) {
                         self->state.armed.reset();
                         carry_out(self, self->state.brain->woken(now(self)));
                       }
                     }});
}

void answer(governor_pointer self, admission::question number, permit_reply with) {
  self->state.promises.extract(number).mapped().deliver(std::move(with));
}

void carry_out(governor_pointer self, const admission::decisions& what) {
  for (const auto number : what.dropped) {
    self->state.promises.erase(number);
  }
  for (const auto& each : what.grants) {
    answer(self, each.to, permit{each.permit});
  }
  for (const auto& each : what.refusals) {
    answer(self, each.to, each.why);
  }
  arm(self, what.wake);
}

admission::holder holder_of(governor_pointer self) {
  auto& state = self->state;
  const auto& sender = self->current_sender();
  const auto [found, is_new] = state.holders.try_emplace(caf::actor_cast<caf::actor_addr>(sender), 0);
  if (is_new) {
    found->second = ++state.newest_holder;
    if (sender) {
      self->monitor(sender);
    }
  }
  return found->second;
}

caf::result<permit_reply> ask(governor_pointer self, const ask_permit& what) {
  auto& state = self->state;
  const auto number = ++state.newest_question;
  const auto who = holder_of(self);  // first: a promise takes the sender with it
  auto promise = self->make_response_promise<permit_reply>();
  state.promises.emplace(number, promise);
  carry_out(self, state.brain->ask(number, who, what, now(self)));
  return promise;
}

// Invariant 2.
void is_down(governor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  if (const auto found = state.holders.find(down.source); found != state.holders.end()) {
    const auto who = found->second;
    state.holders.erase(found);
    carry_out(self, state.brain->holder_gone(who, now(self)));
  }
}

// Invariant 3.
void read_use(governor_pointer self) {
  auto& state = self->state;
  const auto providers = state.brain->providers_to_read();
  if (providers.empty()) {
    return;
  }
  const auto again = [=] { self->delayed_send(self, pause_before_reading, later{[=] { read_use(self); }}); };
  const auto reader = state.deps.reader.get();
  if (!reader) {
    again();
    return;
  }
  const auto today = state.deps.clock->now();
  const provider_use_query question{
      providers, today - use_window::length, timestamp{std::chrono::floor<std::chrono::days>(today)}};
  self->request(reader, read_timeout, question)
      .then(
          [=](const provider_use_answer& uses) {
            if (uses) {
              carry_out(self, self->state.brain->restored(*uses, now(self)));
            } else {
              spdlog::warn("what providers have let us use cannot be read: {}", uses.error().message);
              again();
            }
          },
          [=](caf::error&) { again(); });
}

governor::behavior_type behave(governor_pointer self, governor_deps deps) {
  guard(self, "governor");
  auto& state = self->state;
  state.deps = std::move(deps);
  auto rules = state.deps.rules;
  // Its predecessor's are smaller: nobody gives out a permit in each microsecond.
  rules.first_permit = state.deps.clock->now().time_since_epoch().count();
  state.brain.emplace(std::move(rules));
  self->set_down_handler([=](const caf::down_msg& down) { is_down(self, down); });
  read_use(self);
  return {
      [=](const ask_permit& what) { return ask(self, what); },
      [=](const return_permit& what) { carry_out(self, self->state.brain->returned(what, now(self))); },
      [=](const withdraw_permit& what) {
        carry_out(self, self->state.brain->withdraw(holder_of(self), what, now(self)));
      },
      [=](limits_query) { return self->state.brain->view(now(self)); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

governor spawn_governor(caf::actor_system& system, governor_deps deps) { return system.spawn(behave, std::move(deps)); }

}  // namespace troupe
