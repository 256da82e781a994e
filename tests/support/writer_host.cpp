// The real writer actor with producers that tell it facts without a pause, to be killed:
// troupe-writer-host DATABASE RUN:FACT...
//
// One producer for each RUN:FACT, which goes on there. Reports on standard output (told_runs.hpp). When its standard input
// comes to its end it stops in order: producers, writer, lease.
#include "actors/writer_client.hpp"
#include "runtime/writer_assembly.hpp"
#include "storage/lease.hpp"
#include "tests/support/told_runs.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace troupe {
namespace {

void report(const host_report& told) {
  if (::write(STDOUT_FILENO, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) {
    ::_exit(4);
  }
}

struct position {
  std::int64_t run = 0;
  std::int64_t fact = 0;
};

position position_in(const std::string& text) {
  const auto colon = text.find(':');
  return {std::stoll(text.substr(0, colon)), std::stoll(text.substr(colon + 1))};
}

using producer = caf::typed_actor<caf::reacts_to<later>>;

struct producer_state {
  std::int64_t number = 0;
  position next;
  std::vector<write_command> facts;
};

using producer_pointer = producer::stateful_pointer<producer_state>;

void tell_next(producer_pointer self, const writer_access& writer);

void heard(producer_pointer self, const writer_access& writer, const write_reply& reply) {
  auto& state = self->state;
  host_report told;
  told.producer = state.number;
  told.run = state.next.run;
  told.fact = state.next.fact;
  if (!reply) {
    told.what = host_report::about::refused;
    told.last = static_cast<std::int64_t>(reply.error().code);
    report(told);
    return;
  }
  told.what = host_report::about::acknowledged;
  told.last = reply->last.value();
  told.repeated = reply->repeated ? 1 : 0;
  report(told);
  if (++state.next.fact == facts_of_a_run) {
    state.next = {state.next.run + 1, 0};
    state.facts.clear();
  }
  tell_next(self, writer);
}

void tell_next(producer_pointer self, const writer_access& writer) {
  auto& state = self->state;
  if (state.facts.empty()) {
    state.facts = told_facts(state.number, state.next.run);
  }
  auto fact = std::make_shared<const write_command>(state.facts[static_cast<std::size_t>(state.next.fact)]);
  tell(self, writer, std::move(fact), [=](const write_reply& reply) { heard(self, writer, reply); });
}

producer::behavior_type behave(producer_pointer self, const writer_access& writer, std::int64_t number, position from) {
  self->state.number = number;
  self->state.next = from;
  tell_next(self, writer);
  return {[](const later& due) { due.act(); }};
}

void wait_for_end_of_input() {
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
}

int host(const std::string& path, const std::vector<position>& from) {
  storage_options options;
  options.path = path;
  options.cache_kib = 2'000;
  options.wal_autocheckpoint = 50;  // often, so that kills hit checkpoints, too
  report({.what = host_report::about::taking_lease});
  const auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  if (!taken) {
    report({.what = host_report::about::refused, .last = static_cast<std::int64_t>(taken.error().code)});
    return 3;
  }
  report({.what = host_report::about::opening});
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  {
    caf::actor_system system{config};
    service<log_checkpointer> checkpointer;
    auto mover = spawn_log_checkpointer(system, checkpointer_deps(options), placement::own_thread);
    checkpointer.set(mover);
    writer_access writer;
    writer.epoch = taken->epoch();
    auto deps = writer_deps(options, writer.epoch, {}, checkpointer);
    auto started = spawn_database_writer(system, std::move(deps), placement::own_thread);
    writer.actor.set(started);
    std::vector<producer> producers;
    for (std::size_t i = 0; i < from.size(); ++i) {
      producers.push_back(system.spawn(behave, writer, static_cast<std::int64_t>(i), from[i]));
    }
    wait_for_end_of_input();
    report({.what = host_report::about::closing});
    for (const auto& each : producers) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    caf::anon_send_exit(started, caf::exit_reason::user_shutdown);
    producers.clear();
    caf::anon_send_exit(mover, caf::exit_reason::user_shutdown);
    started = database_writer{};
    mover = log_checkpointer{};
    writer.actor.set({});
    checkpointer.set({});
    system.await_all_actors_done();
  }
  report({.what = host_report::about::closed});
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int count, char** arguments) {
  if (count < 3) {
    return 2;
  }
  std::vector<troupe::position> from;
  for (int i = 2; i < count; ++i) {
    from.push_back(troupe::position_in(arguments[i]));
  }
  return troupe::host(arguments[1], from);
}
