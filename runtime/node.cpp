#include "runtime/node.hpp"

#include "actors/actor_guard.hpp"
#include "actors/agent/launch.hpp"
#include "actors/crash_orders.hpp"
#include "actors/event_listener/event_listener_actor.hpp"
#include "actors/fault_plan.hpp"
#include "messages/interfaces/any_actor.hpp"
#include "runtime/function_threads.hpp"
#include "runtime/http/control_door.hpp"
#include "runtime/http_client/http_client.hpp"
#include "runtime/node_state.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/host.hpp"
#include "runtime/os/leftovers.hpp"
#include "runtime/os/process_reactor.hpp"
#include "runtime/os/prompt_files.hpp"
#include "runtime/os/system_clock.hpp"
#include "runtime/probes.hpp"
#include "runtime/run_ids.hpp"
#include "runtime/tree_census.hpp"
#include "runtime/writer_assembly.hpp"
#include "storage/read_pool.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds answer_timeout{60'000};
constexpr milliseconds leftovers_patience{2'000};
constexpr milliseconds census_patience{1'000};  // of each level of the tree
constexpr milliseconds pause_before_asking_again{10};

error has_stopped() { return {error_code::cancelled, "the node has stopped", ""}; }

storage_options storage_of(const settings& config) {
  storage_options options;
  options.path = config.storage.path;
  using durability = storage_options::durability;
  const bool normal = config.storage.durability == storage_durability::normal;
  options.synchronous = normal ? durability::normal : durability::full;
  return options;
}

std::shared_ptr<read_pool> readers_of(const settings& config) {
  return pool_of_readers(storage_of(config), static_cast<std::size_t>(config.storage.readers_max));
}

caf::actor_system_config& configure(caf::actor_system_config& system, const settings& config) {
  system.set("scheduler.policy", caf::atom("sharing"));
  system.set("scheduler.max-throughput", static_cast<std::size_t>(config.runtime.max_throughput));
  if (config.runtime.workers > 0) {
    system.set("scheduler.max-threads", static_cast<std::size_t>(config.runtime.workers));
  }
  return system;
}

// The same however the database is named, as long as it is where it is.
std::string name_of(const std::filesystem::path& database) {
  std::error_code failed;
  const auto path = std::filesystem::weakly_canonical(database, failed);
  return failed ? std::filesystem::absolute(database).string() : path.string();
}

// Of a dead owner: before anything of it is tried again.
void end_what_is_left(read_pool& readers, const storage_options& storage) {
  auto session = readers.borrow(reading_patience);
  const auto tasks = session ? (*session)->list_leftovers() : result<std::vector<task_view>>{session.error()};
  const auto runs = tasks ? (*session)->list_unfinished() : result<std::vector<run_id>>{tasks.error()};
  if (!runs) {
    spdlog::warn("processes of a dead owner are not looked for: {}", runs.error().message);
    return;
  }
  std::vector<leftover> left;
  for (const auto& task : *tasks) {
    left.push_back({task.run, task.pid, task.pid_start_time, task.started_at});
  }
  for (const auto& run : *runs) {
    left.push_back({run});
  }
  if (const int killed = end_leftovers(left, name_of(storage.path), leftovers_patience); killed > 0) {
    spdlog::warn("{} processes that a dead owner had left were killed", killed);
  }
}

// Certificates are trusted as by every other program that uses OpenSSL.
http_client_options client_options(const std::map<std::string, std::string>& environment,
                                   std::shared_ptr<const clock_port> clock) {
  const auto value_of = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  return {value_of("SSL_CERT_FILE"), value_of("SSL_CERT_DIR"), std::move(clock)};
}

// Nobody should wonder later why things fail here.
void tell_faults(const fault_plan& faults) {
  for (const auto& each : faults.view()) {
    spdlog::warn("failures are injected by TROUPE_FAULTS: {}", to_text(each));
  }
}

}  // namespace

node::state::state(settings_ptr with, lease taken, std::shared_ptr<read_pool> sessions)
    : config(std::move(with)),
      storage(storage_of(*config)),
      held(std::move(taken)),
      readers(std::move(sessions)),
      clock(std::make_shared<system_clock>()),
      system(configure(cfg, *config)),
      writer{
          {}, write_credit{static_cast<std::size_t>(config->writer.queue_depth)}, held.epoch(), config->retry.storage} {
}

void node::state::watch_root() {
  caf::actor_cast<caf::abstract_actor*>(root)->attach_functor([this](const caf::error& reason) {
    const std::scoped_lock lock{guard};
    root_is_down = true;
    if (reason && reason != caf::exit_reason::user_shutdown) {
      fatal = error{error_code::internal,
                    "the root supervisor gave up: " + reason_text(reason),
                    "what is committed is kept; see the log, and go on with: troupe resume --all"};
    }
    changed.notify_all();
  });
}

bool node::state::is_down() {
  const std::scoped_lock lock{guard};
  return root_is_down;
}

// The supervisor answers once it has started its children.
void node::state::wait_until_up() {
  caf::scoped_actor self{system};
  self->request(caf::actor_cast<caf::actor>(root), answer_timeout, ping_query{})
      .receive([](const ping_view&) {}, [](const caf::error&) {});
}

void node::state::stop(stop_mode mode) {
  if (mode == stop_mode::at_once) {
    if (const auto handle = runs.get()) {
      caf::anon_send(handle, drain_runs{true});
    }
  }
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  std::unique_lock lock{guard};
  changed.wait(lock, [&] { return root_is_down; });
  if (!stopped) {
    stopped = true;
    lock.unlock();
    tear_down();
  }
}

// Nothing of the tree is left: let go of the handles, so that the system can end.
void node::state::tear_down() {
  control.reset();
  for (const auto& listener : listeners) {
    caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
  }
  writer.actor.set({});
  checkpointer.set({});
  blobs.set({});
  reader.set({});
  hub.set({});
  permits.set({});
  retries.set({});
  runs.set({});
  vacuum.set({});
  health.set({});
  housekeeping.set({});
  top.set({});
  last_starts = processes->starts();
  processes.reset();
  calls.reset();
  http.reset();
  readers->close_idle();
  const auto read = readers->view();
  spdlog::debug("readers: {} questions over {} connections, {} replaced; {} waited, {} in vain, {} us at most",
                read.loans,
                read.opened,
                read.replaced,
                read.waits,
                read.timeouts,
                read.longest_wait.count());
}

node::node(std::unique_ptr<state> inner) : inner_(std::move(inner)) {}

node::~node() {
  stop(stop_mode::at_once);
  inner_->root = supervisor{};
  inner_->system.await_all_actors_done();
}

result<std::unique_ptr<node>> node::start(node_options options) {
  auto clock = std::make_shared<system_clock>();
  const auto storage = storage_of(*options.config);
  auto taken = lease::acquire(storage, {own_pid(), host_name(), clock->now()});
  if (!taken) {
    return taken.error();
  }
  auto readers = readers_of(*options.config);
  if (auto ready = readers->warm_up(); !ready) {
    return ready.error();
  }
  end_what_is_left(*readers, storage);
  auto made = std::make_unique<state>(options.config, *std::move(taken), std::move(readers));
  made->faults = std::move(options.faults);
  if (made->faults) {
    tell_faults(*made->faults);
  }
  made->cassettes = std::move(options.cassettes);
  made->crashes = std::make_shared<crash_orders>(die_at_once);
  made->functions = probe_functions(made->crashes);
  made->functions.merge(options.functions);
  auto environment = host_environment();
  environment[database_variable] = name_of(storage.path);
  made->environment = std::make_shared<const std::map<std::string, std::string>>(std::move(environment));
  const auto groups =
      options.config->runtime.cgroup == cgroup_use::off ? control_groups::none : control_groups::where_possible;
  made->processes = std::make_shared<process_reactor>(
      process_reactor_options{.custodian = options.config->runtime.custodian,
                              .groups = groups,
                              .mark = std::string{database_variable} + '=' + name_of(storage.path)});
  made->calls = std::make_shared<function_threads>();
  made->prompts = std::make_shared<prompt_files>(storage.path.string() + ".prompts");
  made->http = std::make_shared<http_client>(client_options(*made->environment, made->clock));
  made->root = spawn_supervisor(made->system,
                                "root supervisor",
                                made->children(),
                                {options.config->runtime.restart_intensity, options.config->runtime.restart_window});
  made->top.set(made->root);
  made->watch_root();
  made->wait_until_up();
  std::unique_ptr<node> started{new node{std::move(made)}};
  started->inner_->open_control(*started);
  return started;
}

node::state::~state() = default;

// Without it the node works as well; only other processes cannot look into it.
void node::state::open_control(node& door) {
  control_ports ports;
  ports.pid = own_pid();
  ports.tree = [&door] { return door.tree(); };
  ports.health = [&door] { return door.health(); };
  ports.limits = [&door] { return door.limits(); };
  ports.faults = [&door] { return door.faults(); };
  ports.set_log_level = set_log_level;
  ports.pending = [&door] { return door.pending(); };
  ports.decide = [&door](const run_id& run, const gate_question& which, const gate_decision& decision) {
    return door.decide(run, which, decision);
  };
  ports.cancel = [&door](const cancel_run& asked) {
    auto before = door.find_run(asked.run);
    if (before && !is_final(before->state)) {
      door.cancel(asked.run, asked.at_once);
    }
    return before;
  };
  auto opened = control_door::open(storage.path, std::move(ports));
  if (opened) {
    control = *std::move(opened);
  } else {
    spdlog::warn("{}; {}", opened.error().message, opened.error().hint);
  }
}

result<submitted> node::submit(submission what) {
  if (inner_->is_down()) {
    return error{error_code::cancelled, "the node has stopped; nothing was started", ""};
  }
  if (what.id.empty()) {
    what.id = make_run_id(inner_->clock->now());
  }
  // A run supervisor that dies meanwhile is asked again in its next life: the id makes that harmless.
  const auto deadline = std::chrono::steady_clock::now() + answer_timeout;
  caf::scoped_actor self{inner_->system};
  while (!inner_->is_down() && std::chrono::steady_clock::now() < deadline) {
    std::optional<result<submitted>> answer;
    self->request(inner_->runs.get(), answer_timeout, start_run{what.flow, what.inputs, what.subject, what.id})
        .receive(
            [&](const start_reply& reply) {
              if (reply) {
                answer = submitted{what.id, reply->already_finished, reply->resumed};
              } else {
                answer = reply.error();
              }
            },
            [](const caf::error&) {});
    if (answer) {
      return *std::move(answer);
    }
    std::this_thread::sleep_for(pause_before_asking_again);
  }
  return error{error_code::internal, "the run supervisor did not answer", "see the log"};
}

void node::subscribe(const run_id& run, event_seq since, run_listener listener) {
  event_listener_deps deps{
      inner_->hub, run, since, std::move(listener.events), std::move(listener.progress), std::move(listener.stopped)};
  const auto started = spawn_event_listener(inner_->system, std::move(deps), placement::own_thread);
  const std::scoped_lock lock{inner_->guard};
  std::erase_if(inner_->listeners,
                [](const caf::actor_addr& each) { return !caf::actor_cast<caf::strong_actor_ptr>(each); });
  inner_->listeners.push_back(started.address());
}

void node::cancel(const run_id& run, bool at_once) {
  // A run supervisor that dies before it has read the message leaves this to the next one.
  inner_->undertaken.cancel({run, at_once});
  if (const auto runs = inner_->runs.get()) {
    caf::anon_send(runs, cancel_run{run, at_once});
  }
}

result<run_view> node::find_run(const run_id& run) const {
  auto session = inner_->readers->borrow(reading_patience);
  if (!session) {
    return session.error();
  }
  return (*session)->find_run(run);
}

read_pool_view node::readers() const { return inner_->readers->view(); }

starts_view node::starts() const { return inner_->processes ? inner_->processes->starts() : inner_->last_starts; }

result<tree_view> node::tree() const {
  if (inner_->is_down()) {
    return has_stopped();
  }
  return take_census(inner_->system, inner_->top.get(), census_patience);
}

result<health_view> node::health() const {
  const auto health = inner_->health.get();
  if (!health) {
    return inner_->is_down() ? has_stopped()
                             : error{error_code::not_found,
                                     "nobody looks whether the node is well",
                                     "housekeeping has ended (see the log), or runtime.health_every is 0"};
  }
  result<health_view> answer = error{error_code::internal, "the health actor did not answer", "see the log"};
  caf::scoped_actor self{inner_->system};
  self->request(health, census_patience, health_query{})
      .receive([&](const health_view& told) { answer = told; }, [](const caf::error&) {});
  return answer;
}

namespace {

// One that is about to be started anew is not waited for: who asked asks again.
template <class View, class Handle, class Query>
result<View> ask_for(caf::actor_system& system, const Handle& whom, Query query, const char* name) {
  result<View> answer = error{error_code::internal, std::string{name} + " did not answer", "try again; see the log"};
  if (whom) {
    caf::scoped_actor self{system};
    self->request(whom, census_patience, query)
        .receive([&](View& told) { answer = std::move(told); }, [](const caf::error&) {});
  }
  return answer;
}

}  // namespace

result<node_limits> node::limits() const {
  if (inner_->is_down()) {
    return has_stopped();
  }
  auto allowed = ask_for<limits_view>(inner_->system, inner_->permits.get(), limits_query{}, "the governor");
  if (!allowed) {
    return allowed.error();
  }
  auto waits = ask_for<waits_view>(inner_->system, inner_->retries.get(), waits_query{}, "the retry scheduler");
  if (!waits) {
    return waits.error();
  }
  return node_limits{*std::move(allowed), *std::move(waits)};
}

std::vector<fault_view> node::faults() const {
  return inner_->faults ? inner_->faults->view() : std::vector<fault_view>{};
}

status node::end_actor(std::string_view name, actor_fault how) {
  const auto actor = find_by_name(inner_->system, inner_->top.get(), name, census_patience);
  if (!actor) {
    return error{error_code::not_found, "no actor of this name runs: " + std::string{name}, "see tree()"};
  }
  switch (how) {
    case actor_fault::exception:
      caf::anon_send(actor, provoke_bug{"a fault that was asked for"});
      break;
    case actor_fault::kill:
      caf::anon_send_exit(actor, caf::exit_reason::kill);
      break;
  }
  return done;
}

namespace {

error no_vacuum() { return {error_code::not_found, "vacuum is switched off", "set vacuum.enabled = true"}; }

error no_answer_of_vacuum(const caf::error& why) {
  return {error_code::internal, "vacuum did not answer: " + reason_text(why), "see the log"};
}

}  // namespace

result<vacuum_report> node::vacuum_database() {
  result<vacuum_report> answer = no_vacuum();
  caf::scoped_actor self{inner_->system};
  if (const auto vacuum = inner_->vacuum.get()) {
    self->request(vacuum, caf::infinite, vacuum_now{})
        .receive([&](const vacuum_now_answer& told) { answer = told; },
                 [&](const caf::error& why) { answer = no_answer_of_vacuum(why); });
  }
  return answer;
}

result<vacuum_view> node::vacuum_health() const {
  result<vacuum_view> answer = no_vacuum();
  caf::scoped_actor self{inner_->system};
  if (const auto vacuum = inner_->vacuum.get()) {
    self->request(vacuum, answer_timeout, vacuum_query{})
        .receive([&](const vacuum_view& told) { answer = told; },
                 [&](const caf::error& why) { answer = no_answer_of_vacuum(why); });
  }
  return answer;
}

void node::stop(stop_mode mode) { inner_->stop(mode); }

std::optional<error> node::fatal() const {
  const std::scoped_lock lock{inner_->guard};
  return inner_->fatal;
}

}  // namespace troupe
