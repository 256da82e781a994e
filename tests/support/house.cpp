#include "tests/support/house.hpp"

#include "actors/agent/agent_actor.hpp"
#include "actors/blob_writer/blob_writer_actor.hpp"
#include "actors/child_run/child_run_actor.hpp"
#include "actors/database_reader/database_reader_actor.hpp"
#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/event_hub/event_hub_actor.hpp"
#include "actors/governor/governor_actor.hpp"
#include "actors/retry_scheduler/retry_scheduler_actor.hpp"
#include "config/workflow_file.hpp"
#include "storage/write_session.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace troupe {

process_handle scripted_processes::start(process_request what, process_listener listener) {
  all_.push_back(std::make_unique<process>());
  all_.back()->request = std::move(what);
  all_.back()->listener = std::move(listener);
  const auto index = all_.size() - 1;
  if (!hold_starts) {
    tell_start(index);
  }
  if (answer_) {
    exit(index, *answer_, exit_code_ ? exit_code_() : 0);
  }
  return index + 1;
}

void scripted_processes::tell_start(std::size_t index) {
  at(index).listener.started({static_cast<std::int64_t>(1'000 + index), 7});
}

void scripted_processes::kill(process_handle which) {
  auto& one = at(which - 1);
  one.killed = true;
  if (immortal) {
    return;
  }
  process_end end;
  end.exit.signal = 9;
  this->end(which - 1, std::move(end));
}

void scripted_processes::exit(std::size_t index, const std::string& output, int code) {
  process_end end;
  end.exit.exit_code = code;
  end.standard_output = output;
  end.standard_output_bytes = static_cast<std::int64_t>(output.size());
  this->end(index, std::move(end));
}

void scripted_processes::lose_custodian(std::size_t index) {
  process_end end;
  end.custodian_lost = true;
  end.tree_gone = false;
  this->end(index, std::move(end));
}

void scripted_processes::end(std::size_t index, process_end end) {
  auto& one = at(index);
  if (!std::exchange(one.ended, true)) {
    const auto listener = std::exchange(one.listener, {});  // the port lets go of who listened
    listener.exited(end.exit);
    listener.ended(std::move(end));
  }
}

function_handle immediate_functions::start(host_function function,
                                           function_request request,
                                           function_listener listener) {
  request.sleep = [](milliseconds) { return true; };
  request.progress = listener.progress;
  listener.ended(function(request));
  return 1;
}

house::house(std::string vfs) : options_(database.options()) {
  options_.vfs = std::move(vfs);
  options_.before_commit = [this] {
    return alive_ ? std::nullopt : std::optional{error{error_code::storage_unavailable, "the process is dead", ""}};
  };
  sessions = std::make_shared<read_pool>(
      read_pool_options{.storage = options_, .elapsed = [this] { return clock->now().time_since_epoch(); }});
  config.set("scheduler.policy", caf::atom("testing"));
  writer.epoch = lease_epoch{1};
  system = std::make_unique<caf::actor_system>(config);
}

house::~house() {
  if (root) {
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  }
  for (int i = 0; i < 100 && !root_is_down; ++i) {  // stubborn processes: let every limit pass
    advance(milliseconds{10'000});
    settle();
  }
  writer.actor.set({});
  blobs.set({});
  reader.set({});
  hub.set({});
  permits.set({});
  retries.set({});
  runs.set({});
  run_actors.clear();
  agent_actors.clear();
  for (const auto& listener : listeners_) {
    caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
  }
  root = supervisor{};
  settle();
}

caf::scheduler::test_coordinator& house::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
}

// In small steps, so that what one timer sets off is in time for the next.
void house::advance(milliseconds by) {
  for (const milliseconds step_max{10}; by.count() > 0;) {
    const auto step = std::min(by, step_max);
    by -= step;
    clock->advance(step);
    scheduler().advance_time(step);
    settle();
  }
}

void house::crash() {
  alive_ = false;
  caf::anon_send_exit(root, caf::exit_reason::kill);
  settle();
  run_actors.clear();
  agent_actors.clear();
  root = supervisor{};
  kin = lineage{};
  undertaken = undertakings{};
  writer.epoch = lease_epoch{writer.epoch.value() + 1};
}

void house::start(const std::vector<std::string>& agents) {
  for (const auto& name : agents) {
    agent_spec spec;
    spec.name = agent_name{name};
    spec.command = {"scripted"};
    const auto own = providers.find(name);
    spec.provider = own == providers.end() ? provider : own->second;
    spec.model = model;
    executors_->agents[spec.name] = spec;
  }
  executors_->functions = functions;
  executors_->retry = retry;
  executors_->prices = std::make_shared<const price_table>(prices);
  root_is_down = false;
  alive_ = true;
  root = spawn_supervisor(*system, "root supervisor", children(), {3, milliseconds{5'000}});
  caf::actor_cast<caf::abstract_actor*>(root)->attach_functor([this](const caf::error&) { root_is_down = true; });
  settle();
}

namespace {

template <class Handle>
caf::strong_actor_ptr publish(const service<Handle>& where, Handle handle) {
  where.set(handle);
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

}  // namespace

caf::strong_actor_ptr house::start_runs() {
  agent_deps for_agents;
  for_agents.writer = writer;
  for_agents.hub = hub;
  for_agents.processes = processes;
  for_agents.functions = std::make_shared<immediate_functions>();
  for_agents.clock = clock;
  for_agents.host_environment = std::make_shared<const std::map<std::string, std::string>>();
  for_agents.faults = faults;
  for_agents.ceilings = ceilings;
  for_agents.recorder = recorder;
  run_deps for_runs;
  for_runs.writer = writer;
  for_runs.reader = reader;
  for_runs.hub = hub;
  for_runs.governor = permits;
  for_runs.retries = retries;
  for_runs.runs = runs;
  for_runs.clock = clock;
  for_runs.kin = kin;
  for_runs.read_material = [this](const recovery_view& rows) -> result<run_material> {
    if (before_material) {
      before_material();
    }
    const auto known = flows_.find(rows.run.workflow_hash);
    const auto flow = known != flows_.end()
                          ? known->second
                          : parse_workflow(rows.workflow_source, "pinned", "", executors_->retry).flow;
    return run_material{flow, executors_};
  };
  const child_run_deps for_children{writer, reader, hub, runs, clock, faults};
  for_runs.spawn_agent = [this, for_agents, for_children](attempt_order order, run_actor run) {
    agent_actors.push_back(order.spec.kind == agent_kind::workflow
                               ? spawn_child_run(*system, for_children, std::move(order), std::move(run))
                               : troupe::spawn_agent(*system, for_agents, std::move(order), std::move(run)));
    return agent_actors.back();
  };
  run_supervisor_deps deps;
  deps.writer = writer;
  deps.reader = reader;
  deps.hub = hub;
  deps.clock = clock;
  deps.kin = kin;
  deps.undertaken = undertaken;
  deps.first_rows = [](const start_run& asked) {
    auto rows = troupe::first_rows(*asked.flow, asked.inputs, asked.subject, asked.run);
    if (rows && !asked.parent_task) {
      rows->config_hash = "sha256:none";
    }
    return rows;
  };
  deps.spawn_run = [this, for_runs](const run_id& run) {
    run_actors.push_back(troupe::spawn_run(*system, for_runs, run));
    return run_actors.back();
  };
  return publish(runs, spawn_run_supervisor(*system, std::move(deps)));
}

std::vector<child_spec> house::children() {
  const milliseconds limit{60'000};
  return {
      {"database_writer",
       restart_type::permanent,
       limit,
       [this](caf::actor_system& in) {
         database_writer_deps deps;
         deps.open = [this] {
           if (before_open) {
             before_open();
           }
           return write_session::open(options_, writer.epoch);
         };
         deps.hub = hub;
         deps.blobs = blobs;
         deps.inline_limit = inline_limit;
         return publish(writer.actor, spawn_database_writer(in, std::move(deps), placement::shared));
       }},
      {"blob_writer",
       restart_type::permanent,
       limit,
       [this](caf::actor_system& in) { return publish(blobs, spawn_blob_writer(in, {options_}, placement::shared)); }},
      {"database_reader",
       restart_type::permanent,
       limit,
       [this](caf::actor_system& in) {
         return publish(reader, spawn_database_reader(in, {sessions, milliseconds{0}}, placement::shared));
       }},
      {"event_hub",
       restart_type::permanent,
       limit,
       [this](caf::actor_system& in) { return publish(hub, spawn_event_hub(in, {reader})); }},
      {"retry_scheduler",
       restart_type::permanent,
       1s,
       [this](caf::actor_system& in) { return publish(retries, spawn_retry_scheduler(in, {clock})); }},
      {"governor",
       restart_type::permanent,
       1s,
       [this](caf::actor_system& in) {
         return publish(permits, spawn_governor(in, {reader, clock, limits}));
       }},
      {"run_supervisor", restart_type::permanent, limit, [this](caf::actor_system&) { return start_runs(); }},
  };
}

start_reply house::submit(const std::string& toml, const std::string& id, const std::string& inputs) {
  const auto loaded = parse_workflow(toml, "test.toml", "");
  for (const auto& each : loaded.problems) {
    ADD_FAILURE() << each.at.line << ':' << each.at.column << ": " << each.message;
  }
  return submit(loaded.flow, id, inputs);
}

void house::know(const workflow_ptr& flow) {
  flows_[flow->hash] = flow;
  for (const auto& step : flow->steps) {
    if (step.map && step.map->flow) {
      know(step.map->flow);
    }
  }
}

start_reply house::submit(const workflow_ptr& flow, const std::string& id, const std::string& inputs) {
  know(flow);
  start_reply answer = error{error_code::internal, "no answer", ""};
  caf::scoped_actor self{*system};
  auto asked = self->request(runs.get(), caf::infinite, start_run{flow, json_text{inputs}, "", run_id{id}});
  for (int i = 0; i < 20 && self->mailbox().empty(); ++i) {
    settle();
    if (self->mailbox().empty()) {
      advance(milliseconds{100});
    }
  }
  asked.receive([&](const start_reply& reply) { answer = reply; }, [](const caf::error&) {});
  return answer;
}

void house::listen(const std::string& id, event_seq since) {
  event_listener_deps deps{
      hub,
      run_id{id},
      since,
      [this](const event_batch& batch) { events.insert(events.end(), batch.begin(), batch.end()); },
      [this](const task_progress& line) { progress.push_back(line); },
      [this](const error& why) { stopped = why; }};
  listeners_.push_back(spawn_event_listener(*system, std::move(deps), placement::shared).address());
  settle();
}

run_view house::view(const std::string& id) {
  auto session = read_session::open(options_);
  auto found = (*session)->find_run(run_id{id});
  EXPECT_TRUE(found.has_value());
  return found ? *found : run_view{};
}

std::vector<task_view> house::tasks(const std::string& id) {
  auto session = read_session::open(options_);
  auto found = (*session)->list_tasks(run_id{id});
  EXPECT_TRUE(found.has_value());
  return found ? *found : std::vector<task_view>{};
}

std::vector<gate_view> house::gates(const std::string& id) {
  auto session = read_session::open(options_);
  auto found = (*session)->list_gates(run_id{id});
  EXPECT_TRUE(found.has_value());
  return found ? *found : std::vector<gate_view>{};
}

std::vector<std::string> house::kinds() const {
  std::vector<std::string> all;
  for (const auto& fact : events) {
    all.emplace_back(to_string(fact.kind));
  }
  return all;
}

std::vector<std::string> house::seqs_are_gapless() const {
  std::vector<std::string> wrong;
  std::map<run_id, std::int64_t> last;
  for (const auto& each : events) {
    const auto number = ++last[each.run];
    if (each.seq.value() != number) {
      wrong.push_back("event " + std::to_string(number) + " of " + each.run.str() + " has number " +
                      std::to_string(each.seq.value()));
    }
  }
  return wrong;
}

}  // namespace troupe
