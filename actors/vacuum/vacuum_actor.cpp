#include "actors/vacuum/vacuum_actor.hpp"

#include "actors/actor_guard.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {
namespace {

using pass_promise = caf::typed_response_promise<vacuum_now_answer>;

constexpr milliseconds answer_timeout{30'000};

struct vacuum_state {
  static inline const char* name = "vacuum";

  vacuum_deps deps;
  std::optional<vacuum_plan> plan;
  std::vector<pass_promise> waiting;     // for the next pass that ends
  std::vector<pass_promise> to_be_told;  // of the one that is being written down
  vacuum_report ended;                   // that one
  std::int64_t timer = 0;                // an older one that comes is none

  vacuum_state() = default;
  vacuum_state(const vacuum_state&) = delete;
  vacuum_state& operator=(const vacuum_state&) = delete;

  // Invariant 2: a promise that is dropped would never be answered.
  ~vacuum_state() {
    for (auto* const promises : {&waiting, &to_be_told}) {
      for (auto& each : *promises) {
        each.deliver(caf::make_error(caf::sec::request_receiver_down));
      }
    }
  }
};

using vacuum_pointer = vacuum_actor::stateful_pointer<vacuum_state>;

vacuum_plan::moment now(vacuum_pointer self) { return {self->state.deps.clock->now(), self->clock().now()}; }

void answer(std::vector<pass_promise>& promises, const vacuum_now_answer& with) {
  for (auto& each : std::exchange(promises, {})) {
    each.deliver(with);
  }
}

void carry_out(vacuum_pointer self, const vacuum_plan::effect& effect);

// The pass has ended with this report, whether or not it could be written down.
void tell_end(vacuum_pointer self) { answer(self->state.to_be_told, self->state.ended); }

void fail(vacuum_pointer self, const error& why) {
  auto& state = self->state;
  spdlog::warn("vacuum: {}", why.message);
  const auto next = state.plan->failed(why, now(self));
  tell_end(self);
  if (state.plan->is_at_rest()) {
    answer(state.waiting, why);
  }
  carry_out(self, next);
}

// `then(value)` gives what comes next; whatever else happens is an error of the plan's.
template <class Answer, class Handle, class Word, class Then>
void ask(vacuum_pointer self, const service<Handle>& whom, Word what, Then then) {
  const auto handle = whom.get();
  if (!handle) {
    fail(self, {error_code::storage_unavailable, "the database actors are not running", ""});
    return;
  }
  self->request(handle, answer_timeout, std::move(what))
      .then(
          [=](Answer& answered) {
            if (answered) {
              carry_out(self, then(*answered));
            } else {
              fail(self, answered.error());
            }
          },
          [=](const caf::error& why) {
            fail(self, {error_code::storage_unavailable, "the database did not answer: " + reason_text(why), ""});
          });
}

void wake_after(vacuum_pointer self, milliseconds pause) {
  const auto number = ++self->state.timer;
  self->delayed_send(self, pause, later{[=] {
                       if (number == self->state.timer) {
                         carry_out(self, self->state.plan->woken(now(self)));
                       }
                     }});
}

void log_end(const vacuum_report& pass) {
  if (pass.failure) {
    spdlog::warn("vacuum stopped before its goal: {}", pass.failure->message);
  } else if (pass.freed_pages > 0) {
    spdlog::info("vacuum ({}): {} KiB before, {} KiB after, in {} slices, the longest of {} us",
                 to_string(pass.reason),
                 pass.bytes_before / 1'024,
                 pass.bytes_after / 1'024,
                 pass.slices,
                 pass.longest_slice.count());
  }
}

// One for each effect of the plan.
struct executor {
  vacuum_pointer self;

  void operator()(vacuum_plan::nothing) const {}

  void operator()(const vacuum_plan::rest& effect) const { wake_after(self, effect.pause); }

  void operator()(vacuum_plan::look) const {
    ask<maintenance_answer>(
        self, self->state.deps.reader, maintenance_query{}, [self = self](const maintenance_view& found) {
          return self->state.plan->looked(found, now(self));
        });
  }

  void operator()(const vacuum_plan::free_some& effect) const {
    ask<vacuum_answer>(self, self->state.deps.writer, effect.what, [self = self](const auto& outcome) {
      auto& plan = *self->state.plan;
      const auto* const progress = std::get_if<vacuum_progress>(&outcome);
      return progress == nullptr ? plan.writer_was_busy(now(self)) : plan.freed(*progress, now(self));
    });
  }

  void operator()(const vacuum_plan::shrink& effect) const {
    ask<shrink_answer>(self, self->state.deps.writer, shrink_file{effect.turn}, [self = self](const auto& outcome) {
      auto& plan = *self->state.plan;
      const auto* const shrunk = std::get_if<file_shrunk>(&outcome);
      return shrunk == nullptr ? plan.writer_was_busy(now(self)) : plan.shrunk(*shrunk, now(self));
    });
  }

  // Who asks from now on asks for the pass after this one.
  void operator()(const vacuum_plan::write_down& effect) const {
    auto& state = self->state;
    log_end(effect.pass);
    state.ended = effect.pass;
    state.to_be_told = std::exchange(state.waiting, {});
    ask<record_answer>(self, state.deps.writer, record_vacuum{effect.pass}, [self = self](done_t) {
      tell_end(self);
      return self->state.plan->written(now(self));
    });
  }
};

void carry_out(vacuum_pointer self, const vacuum_plan::effect& effect) { std::visit(executor{self}, effect); }

caf::result<vacuum_now_answer> begin_pass(vacuum_pointer self) {
  auto promise = self->make_response_promise<vacuum_now_answer>();
  self->state.waiting.push_back(promise);
  carry_out(self, self->state.plan->asked(now(self)));
  return promise;
}

vacuum_actor::behavior_type behave(vacuum_pointer self, vacuum_deps deps) {
  guard(self, "vacuum");
  self->state.deps = std::move(deps);
  self->state.plan.emplace(self->state.deps.rules, now(self));
  carry_out(self, self->state.plan->begin());
  return {
      [=](vacuum_now) { return begin_pass(self); },
      [=](vacuum_query) { return self->state.plan->view(now(self)); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

vacuum_actor spawn_vacuum(caf::actor_system& system, vacuum_deps deps) { return system.spawn(behave, std::move(deps)); }

}  // namespace troupe
