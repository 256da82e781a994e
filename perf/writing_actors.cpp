#include "perf/writing_actors.hpp"

#include "actors/event_hub/event_hub_actor.hpp"
#include "runtime/writer_assembly.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::perf {
namespace {

caf::actor_system_config& configured(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", std::size_t{300});
  return config;
}

}  // namespace

writing_actors::writing_actors(const storage_options& options)
    : readers_(pool_of_readers(options, readers_max)), system_(configured(config_)) {
  hub_.set(spawn_event_hub(system_, {}));
  checkpointer_.set(spawn_log_checkpointer(system_, checkpointer_deps(options, readers_), placement::own_thread));
  auto deps = writer_deps(options, lease_epoch{1}, hub_, checkpointer_);
  writer_.actor.set(spawn_database_writer(system_, std::move(deps), placement::own_thread));
}

writing_actors::~writing_actors() {
  caf::anon_send_exit(writer_.actor.get(), caf::exit_reason::user_shutdown);
  caf::anon_send_exit(checkpointer_.get(), caf::exit_reason::user_shutdown);
  caf::anon_send_exit(hub_.get(), caf::exit_reason::user_shutdown);
  writer_.actor.set({});
  checkpointer_.set({});
  hub_.set({});
  system_.await_all_actors_done();
}

}  // namespace troupe::perf
