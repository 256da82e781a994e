// The actors of a node, in the order of their start, and what each of them is given.
#include "actors/agent/agent_actor.hpp"
#include "actors/blob_writer/blob_writer_actor.hpp"
#include "actors/child_run/child_run_actor.hpp"
#include "actors/database_reader/database_reader_actor.hpp"
#include "actors/event_hub/event_hub_actor.hpp"
#include "actors/fault_plan.hpp"
#include "actors/governor/governor_actor.hpp"
#include "actors/health/health_actor.hpp"
#include "actors/retry_scheduler/retry_scheduler_actor.hpp"
#include "actors/run/run_actor.hpp"
#include "actors/run_supervisor/run_supervisor_actor.hpp"
#include "actors/vacuum/vacuum_actor.hpp"
#include "config/pin.hpp"
#include "messages/base/sha256.hpp"
#include "runtime/function_threads.hpp"
#include "runtime/http_client/http_client.hpp"
#include "runtime/node_state.hpp"
#include "runtime/os/process_reactor.hpp"
#include "runtime/os/prompt_files.hpp"
#include "runtime/pinned_run.hpp"
#include "runtime/writer_assembly.hpp"
#include "storage/read_pool.hpp"

#include <caf/actor_cast.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds slack{10'000};  // of a stop, beyond what its parts may take

// Questions of actors are short. With four, a long one (a run with a large state) does not hold up the others; what the
// pool has beyond them is for callers of the node, who read on threads of their own.
constexpr std::size_t reader_actors = 4;

vacuum_rules rules_of(const vacuum_settings& config) {
  vacuum_rules rules;
  rules.at = config.at;
  rules.check_every = config.check_every;
  rules.slice = config.slice;
  rules.free_percent = config.free_percent;
  rules.free_bytes = static_cast<std::int64_t>(config.free_bytes);
  return rules;
}

admission_rules rules_of(const settings& config) {
  admission_rules rules;
  rules.attempts_max = config.runtime.attempts_max;
  rules.providers = config.providers;
  return rules;
}

std::optional<std::int64_t> limit_of(std::int64_t amount) { return amount > 0 ? std::optional{amount} : std::nullopt; }

// 0 is no limit.
budget_limits limits_of(money usd, std::int64_t tokens, milliseconds time) {
  budget_limits limits{limit_of(usd.microusd), limit_of(tokens)};
  if (time > time.zero()) {
    limits.time = time;
  }
  return limits;
}

budget_ceilings ceilings_of(const budget_settings& config) {
  return {limits_of(config.subject_usd, config.subject_tokens, config.subject_time),
          limits_of(config.day_usd, config.day_tokens, config.day_time)};
}

storage_options with_faults(storage_options storage, const std::shared_ptr<fault_plan>& faults) {
  if (faults) {
    storage.before_commit = [faults] {
      auto due = faults->take_for_commit();
      if (due) {
        spdlog::warn("a commit failed: {}", due->message);
      }
      return due;
    };
  }
  return storage;
}

constexpr milliseconds health_limit{5'000};

std::string reader_name(std::size_t which) { return "database_reader " + std::to_string(which + 1); }

// The life of this moment; null between two.
template <class Handle>
std::function<caf::actor()> finder(service<Handle> where, std::size_t which = 0) {
  return [where, which] {
    const auto handle = where.get_one(which);
    return handle ? caf::actor_cast<caf::actor>(handle) : caf::actor{};
  };
}

template <class Handle>
caf::strong_actor_ptr publish(const service<Handle>& where, Handle handle) {
  where.set(handle);
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

}  // namespace

// Whoever goes on with a played run has to know that it is one.
void node::state::pin(create_run& rows) const {
  if (cassettes.played_from.empty()) {
    rows.config_hash = config_hash(*config);
    rows.config_source = to_toml(*config);
  } else {
    rows.config_source = to_toml(*config, cassettes.played_from);
    rows.config_hash = "sha256:" + sha256_hex(rows.config_source);
  }
}

caf::strong_actor_ptr node::state::start_runs() {
  agent_deps for_agents{writer, hub, processes, calls, prompts, clock, environment, http};
  for_agents.faults = faults;
  for_agents.ceilings = ceilings_of(config->budget);
  for_agents.recorder = cassettes.recorder;
  for_agents.player = cassettes.player;
  run_deps for_runs;
  for_runs.writer = writer;
  for_runs.reader = reader;
  for_runs.hub = hub;
  for_runs.governor = permits;
  for_runs.retries = retries;
  for_runs.runs = runs;
  for_runs.clock = clock;
  for_runs.drain_timeout = config->runtime.drain_timeout;
  for_runs.kin = kin;
  for_runs.read_material = [this](const recovery_view& rows) {
    return read_pinned(rows.run, rows.workflow_source, rows.config_source, functions);
  };
  const child_run_deps for_children{writer, reader, hub, runs, clock, faults};
  for_runs.spawn_agent = [this, for_agents, for_children](attempt_order order, run_actor run) {
    return order.spec.kind == agent_kind::workflow
               ? spawn_child_run(system, for_children, std::move(order), std::move(run))
               : troupe::spawn_agent(system, for_agents, std::move(order), std::move(run));
  };
  run_supervisor_deps deps;
  deps.writer = writer;
  deps.reader = reader;
  deps.hub = hub;
  deps.clock = clock;
  deps.intensity = {config->runtime.restart_intensity, config->runtime.restart_window};
  deps.kin = kin;
  deps.undertaken = undertaken;
  deps.first_rows = [this](const start_run& asked) -> result<create_run> {
    auto rows = troupe::first_rows(*asked.flow, asked.inputs, asked.subject, asked.run);
    if (rows && !asked.parent_task) {  // a child run keeps to its parent's
      pin(*rows);
    }
    return rows;
  };
  deps.spawn_run = [this, for_runs](const run_id& run) { return troupe::spawn_run(system, for_runs, run); };
  return publish(runs, spawn_run_supervisor(system, std::move(deps)));
}

child_spec node::state::reader_child(std::size_t which) {
  return {reader_name(which), restart_type::permanent, reading_patience + slack, [this, which](caf::actor_system& in) {
            const auto started = spawn_database_reader(in, {readers, reading_patience}, placement::own_thread);
            reader.set_one(which, started);
            return caf::actor_cast<caf::strong_actor_ptr>(started);
          }};
}

// In start order; they stop the other way round, the writer last.
std::vector<child_spec> node::state::children() {
  const auto quick = milliseconds{5'000};
  const auto runs_may_take = config->runtime.drain_timeout + config->runtime.kill_grace + slack;
  std::vector<child_spec> all{
      {"database_writer",
       restart_type::permanent,
       slack,
       [this](caf::actor_system& in) {
         auto deps = writer_deps(with_faults(storage, faults), held.epoch(), hub, checkpointer);
         deps.blobs = blobs;
         deps.crashes = crashes;
         deps.inline_limit = config->storage.inline_limit;
         deps.batch_max = static_cast<std::size_t>(config->writer.max_batch);
         deps.queue_depth = static_cast<std::size_t>(config->writer.queue_depth);
         return publish(writer.actor, spawn_database_writer(in, std::move(deps), placement::own_thread));
       }},
      {"blob_writer",
       restart_type::permanent,
       slack,
       [this](caf::actor_system& in) {
         return publish(blobs, spawn_blob_writer(in, {storage}, placement::own_thread));
       }},
      {"log_checkpointer",
       restart_type::permanent,
       slack,
       [this](caf::actor_system& in) {
         return publish(checkpointer,
                        spawn_log_checkpointer(in, checkpointer_deps(storage, readers), placement::own_thread));
       }},
  };
  for (std::size_t which = 0; which < reader_actors; ++which) {
    all.push_back(reader_child(which));
  }
  all.push_back({"event_hub", restart_type::permanent, quick, [this](caf::actor_system& in) {
                   return publish(hub, spawn_event_hub(in, {reader, crashes}));
                 }});
  all.push_back({"retry_scheduler", restart_type::permanent, quick, [this](caf::actor_system& in) {
                   return publish(retries, spawn_retry_scheduler(in, {clock}));
                 }});
  all.push_back({"governor", restart_type::permanent, quick, [this](caf::actor_system& in) {
                   return publish(permits, spawn_governor(in, {reader, clock, rules_of(*config)}));
                 }});
  all.push_back(
      {"run_supervisor", restart_type::permanent, runs_may_take, [this](caf::actor_system&) { return start_runs(); }});
  // Temporary: housekeeping that keeps dying is given up, and everything else goes on.
  all.push_back({"housekeeping", restart_type::temporary, quick, [this](caf::actor_system& in) {
                   return publish(
                       housekeeping,
                       spawn_supervisor(in,
                                        "housekeeping",
                                        housekeepers(),
                                        {config->runtime.restart_intensity, config->runtime.restart_window}));
                 }});
  return all;
}

std::vector<child_spec> node::state::housekeepers() {
  std::vector<child_spec> all;
  if (config->vacuum.enabled) {
    all.push_back({"vacuum", restart_type::permanent, milliseconds{5'000}, [this](caf::actor_system& in) {
                     return publish(vacuum, spawn_vacuum(in, {writer.actor, reader, clock, rules_of(config->vacuum)}));
                   }});
  }
  // Last: it asks the others.
  if (config->runtime.health_every > milliseconds{0}) {
    all.push_back({"health", restart_type::permanent, milliseconds{5'000}, [this](caf::actor_system&) {
                     return start_health();
                   }});
  }
  return all;
}

caf::strong_actor_ptr node::state::start_health() {
  health_deps deps;
  deps.vacuum = vacuum;
  deps.clock = clock;
  deps.every = config->runtime.health_every;
  deps.limit = std::min(deps.every, health_limit);
  deps.actors = {{"root supervisor", finder(top)},
                 {"database_writer", finder(writer.actor)},
                 {"blob_writer", finder(blobs)},
                 {"log_checkpointer", finder(checkpointer)}};
  for (std::size_t which = 0; which < reader_actors; ++which) {
    deps.actors.push_back({reader_name(which), finder(reader, which)});
  }
  deps.actors.push_back({"event_hub", finder(hub)});
  deps.actors.push_back({"retry_scheduler", finder(retries)});
  deps.actors.push_back({"governor", finder(permits)});
  deps.actors.push_back({"run_supervisor", finder(runs)});
  deps.actors.push_back({"housekeeping", finder(housekeeping)});
  if (config->vacuum.enabled) {
    deps.actors.push_back({"vacuum", finder(vacuum)});
  }
  return publish(health, spawn_health(system, std::move(deps)));
}

}  // namespace troupe
