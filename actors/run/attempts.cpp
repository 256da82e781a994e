#include "actors/run/attempts.hpp"

#include "actors/log_place.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds pause_before_asking{20};

// Null where the attempt has been stopped, or another one of its task is at work.
live_attempt* asking(run_pointer self, const task_id& task, attempt_no attempt) {
  const auto found = self->state.attempts.find(task);
  const bool asks =
      found != self->state.attempts.end() && found->second.number == attempt && found->second.asks.has_value();
  return asks ? &found->second : nullptr;
}

void await_deadlines(run_pointer self, const std::function<void()>& go_on) {
  auto& state = self->state;
  for (const auto& deadline : state.progress->take_deadlines()) {
    const auto began = deadline.began.value_or(state.deps.clock->now());
    const auto left = began + deadline.after - state.deps.clock->now();
    self->delayed_send(self, std::max<std::chrono::microseconds>(left, {}), later{[=] {
                         if (self->state.progress) {
                           self->state.progress->overdue(deadline);
                           go_on();
                         }
                       }});
  }
}

void begin(run_pointer self, live_attempt& attempt, permit_id granted, const std::function<void()>& go_on) {
  auto order = *std::exchange(attempt.asks, std::nullopt);
  self->state.progress->begun(order.task.id);
  attempt.permit = granted;
  attempt.agent = self->state.deps.spawn_agent(std::move(order), caf::actor_cast<run_actor>(self));
  self->monitor(attempt.agent);
  self->state.deps.kin.add(self->state.run, attempt.agent.address());
  await_deadlines(self, go_on);
}

// Nothing of the attempt has begun, and nothing is recorded of it.
void put_off(run_pointer self, const task_id& task) {
  self->state.attempts.erase(task);
  self->state.progress->hold(task);
}

void withdraw(run_pointer self, const task_id& task, attempt_no attempt) {
  if (const auto handle = self->state.deps.governor.get()) {
    self->send(handle, withdraw_permit{task, attempt});
  }
  put_off(self, task);
}

void refused(run_pointer self, const task_id& task, const error& why, const std::function<void()>& go_on) {
  auto& state = self->state;
  const auto due = state.deps.clock->now() + why.retry_after.value_or(milliseconds{1'000});
  put_off(self, task);
  if (why.code == error_code::rate_limited) {
    log_at({state.run, {}, {}, {}},
           spdlog::level::info,
           "the run waits for a quota until {}: {}",
           to_rfc3339(due),
           why.message);
    withdraw_attempts(self);
    if (!state.end) {
      state.end = ending{ending::kind::quota, false, due, why};
    }
  } else {
    log_at({state.run, {}, task, {}}, spdlog::level::info, "the task waits: {}", why.message);
    await(self, task.str(), due, [=] {
      if (self->state.progress) {
        self->state.progress->due(task);
        go_on();
      }
    });
  }
  go_on();
}

void ask(run_pointer self, const task_id& task, attempt_no number, const std::function<void()>& go_on) {
  const auto* attempt = asking(self, task, number);
  if (attempt == nullptr) {
    return;
  }
  const auto again = [=] {
    self->delayed_send(self, pause_before_asking, later{[=] { ask(self, task, number, go_on); }});
  };
  const auto handle = self->state.deps.governor.get();
  if (!handle) {
    again();
    return;
  }
  const auto& order = *attempt->asks;
  ask_permit question;
  question.run = order.run;
  question.task = task;
  question.attempt = number;
  question.provider = provider_name{order.spec.provider};
  question.priority = self->state.progress->priority();
  question.is_retry = order.failures > 0;
  question.failed_as = order.failed_as;
  question.estimate = order.estimate;
  // No time limit: how long it takes is the provider's to say, and a governor that dies answers with an error.
  self->request(handle, caf::infinite, std::move(question))
      .then(
          [=](const permit_reply& reply) {
            auto* waiting = asking(self, task, number);
            if (waiting != nullptr && reply) {
              begin(self, *waiting, reply->id, go_on);
            } else if (waiting != nullptr) {
              refused(self, task, reply.error(), go_on);
            } else if (reply) {  // it was granted while we gave it up
              give_back(self, {number, std::nullopt, reply->id, {}}, {{}, permit_end::not_counted, {}, {}});
            }
          },
          [=](caf::error&) { again(); });
}

}  // namespace

void admit_attempts(run_pointer self, const std::function<void()>& go_on) {
  auto& state = self->state;
  for (auto& order : state.progress->admit()) {
    const auto task = order.task.id;
    const auto number = order.attempt;
    const bool is_child = order.spec.kind == agent_kind::workflow;
    auto& attempt = state.attempts[task] = {number, std::move(order), {}, {}};
    if (is_child) {  // what its child does needs permits; it needs none itself, and must not keep one from them
      begin(self, attempt, permit_id{}, go_on);
    } else {
      ask(self, task, number, go_on);
    }
  }
  await_deadlines(self, go_on);  // of steps that had begun in an earlier life
}

void stop_pointless_attempts(run_pointer self) {
  auto& state = self->state;
  for (auto stops = state.progress->take_stops(); !stops.empty(); stops = state.progress->take_stops()) {
    for (const auto& stop : stops) {
      const auto found = state.attempts.find(stop.task);
      if (found == state.attempts.end()) {
        continue;  // it has ended since, or was withdrawn
      }
      if (found->second.asks) {
        withdraw(self, stop.task, found->second.number);
      } else {
        self->send(found->second.agent, stop_attempt{stop.cause, false});
      }
    }
  }
}

void withdraw_attempts(run_pointer self) {
  auto& state = self->state;
  for (auto at = state.attempts.begin(); at != state.attempts.end();) {
    const auto& [task, attempt] = *at++;
    if (attempt.asks) {
      withdraw(self, task_id{task}, attempt.number);
    }
  }
}

void stop_attempts(run_pointer self, stop_cause cause, bool at_once) {
  withdraw_attempts(self);
  for (const auto& [task, attempt] : self->state.attempts) {
    self->send(attempt.agent, stop_attempt{cause, at_once});
  }
}

std::optional<live_attempt> take_attempt(run_pointer self, const task_id& task) {
  auto found = self->state.attempts.extract(task);
  if (found && found.mapped().agent) {
    self->state.deps.kin.leave(self->state.run, found.mapped().agent.address());
  }
  return found ? std::optional{std::move(found.mapped())} : std::nullopt;
}

void give_back(run_pointer self, const live_attempt& attempt, return_permit how) {
  how.id = attempt.permit;
  const auto handle = self->state.deps.governor.get();
  if (handle && attempt.permit != permit_id{}) {
    self->send(handle, how);
  }
}

void await(run_pointer self, const std::string& key, timestamp due, const std::function<void()>& then) {
  const auto again = [=] {
    self->delayed_send(self, pause_before_asking, later{[=] { await(self, key, due, then); }});
  };
  const auto handle = self->state.deps.retries.get();
  if (!handle) {
    again();
    return;
  }
  self->request(handle, caf::infinite, await_due{self->state.run, key, due})
      .then([=](came_due) { then(); }, [=](caf::error&) { again(); });
}

}  // namespace troupe
