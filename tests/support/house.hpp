// All actors of a node on one thread, in virtual time, over a real database; only processes are scripted.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "actors/agent/function_executor.hpp"
#include "actors/agent/process_port.hpp"
#include "actors/event_listener/event_listener_actor.hpp"
#include "actors/fault_plan.hpp"
#include "actors/governor/admission.hpp"
#include "actors/lineage.hpp"
#include "actors/run/run_actor.hpp"
#include "actors/run_supervisor/run_supervisor_actor.hpp"
#include "actors/run_supervisor/undertakings.hpp"
#include "actors/supervisor/supervisor_actor.hpp"
#include "messages/interfaces/blob_writer.hpp"
#include "storage/read_pool.hpp"
#include "tests/support/temporary_database.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Stands still until a test moves it.
class virtual_clock final : public clock_port {
 public:
  timestamp now() const override { return now_; }
  void advance(milliseconds by) { now_ += by; }

 private:
  timestamp now_{std::chrono::seconds{1'800'000'000}};
};

/// Processes that do what the test says, when it says so. One thread.
class scripted_processes final : public process_port {
 public:
  struct process {
    process_request request;
    process_listener listener;
    bool terminated = false;
    bool killed = false;
    bool ended = false;
  };

  process_handle start(process_request what, process_listener listener) override;
  void terminate(process_handle which) override { all_.at(which - 1)->terminated = true; }
  /// A killed process ends at once, by SIGKILL, unless it already has.
  void kill(process_handle which) override;

  std::size_t count() const { return all_.size(); }
  process& at(std::size_t index) { return *all_.at(index); }

  void exit(std::size_t index, const std::string& output = "ok", int code = 0);
  void end(std::size_t index, process_end end);
  void lose_custodian(std::size_t index);
  /// Of a process that started while `hold_starts`.
  void tell_start(std::size_t index);
  bool hold_starts = false;  ///< Those that start do not tell it.
  bool immortal = false;     ///< Those that are killed do not end.
  /// Each process prints this and exits, well or with this code, as soon as it starts.
  void answer_all_with(std::string output, std::function<int()> exit_code = {}) {
    answer_ = std::move(output);
    exit_code_ = std::move(exit_code);
  }

 private:
  std::vector<std::unique_ptr<process>> all_;
  std::optional<std::string> answer_;
  std::function<int()> exit_code_;
};

/// Functions run while they are started.
class immediate_functions final : public function_executor {
 public:
  function_handle start(host_function function, function_request request, function_listener listener) override;
  void stop(function_handle) override {}
};

/// Failures are final, so that tests of other things see them at once.
inline retry_policy one_call() {
  retry_policy policy;
  policy.max_attempts = 1;
  return policy;
}

class house {
 public:
  explicit house(std::string vfs = "");
  ~house();

  /// Starts root supervisor and children. `agents` are commands by name: what they run is scripted anyway.
  void start(const std::vector<std::string>& agents = {"a", "b", "c"});

  /// The end of its process: every actor is gone at once, what runs is cut off, and nothing more reaches the disk. start()
  /// is the next process, under a lease of its own.
  void crash();
  /// Between start() and crash().
  bool is_alive() const noexcept { return alive_; }

  /// Everything that can happen without time.
  void settle() { scheduler().run(); }
  void advance(milliseconds by);

  /// A workflow that no file stands for can be carried out, and those of its child runs: submit() says so as well.
  void know(const workflow_ptr& flow);

  /// Submits and settles.
  start_reply submit(const std::string& toml, const std::string& id = "r-1", const std::string& inputs = "{}");
  /// The same of a workflow that no file stands for: `hash` names it.
  start_reply submit(const workflow_ptr& flow, const std::string& id = "r-1", const std::string& inputs = "{}");
  void listen(const std::string& id = "r-1", event_seq since = event_seq{0});

  run_view view(const std::string& id = "r-1");
  std::vector<task_view> tasks(const std::string& id = "r-1");
  std::vector<gate_view> gates(const std::string& id = "r-1");
  std::vector<std::string> kinds() const;
  std::vector<std::string> seqs_are_gapless() const;  ///< What is wrong; empty if nothing.

  /// Kills an actor as a bug would, and settles.
  template <class Handle>
  void kill(const Handle& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    settle();
  }

  caf::scheduler::test_coordinator& scheduler();

  temporary_database database{fast_folder()};
  std::shared_ptr<virtual_clock> clock = std::make_shared<virtual_clock>();
  std::shared_ptr<scripted_processes> processes = std::make_shared<scripted_processes>();
  function_table functions;
  std::shared_ptr<fault_plan> faults;         ///< Of runs that start from now on.
  std::shared_ptr<answer_recorder> recorder;  ///< The same.
  std::function<void()> before_open;          ///< Called when a writer opens its session; may throw.
  std::function<void()> before_material;
  retry_policy retry = one_call();  ///< Of steps that say nothing.
  admission_rules limits;
  std::string provider;                                ///< Of all agents.
  std::map<std::string, std::string> providers;        ///< Of single agents, in its place.
  std::string model;                                   ///< The same.
  price_table prices;                                  ///< Of runs that are loaded from now on.
  budget_ceilings ceilings;                            ///< Of subjects and days.
  std::size_t inline_limit = std::size_t{256} << 10U;  ///< Of writers that start from now on.

  std::shared_ptr<read_pool> sessions;  ///< The reader does not wait for one: there is one thread.
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  writer_access writer;
  service<blob_writer> blobs;
  service<database_reader> reader;
  service<event_hub> hub;
  service<troupe::governor> permits;
  service<retry_scheduler> retries;
  service<run_supervisor> runs;
  std::vector<run_actor> run_actors;      // in order of their starts
  std::vector<agent_actor> agent_actors;  // in order of their starts
  lineage kin;
  undertakings undertaken;
  supervisor root;
  bool root_is_down = false;

  event_batch events;
  std::vector<task_progress> progress;
  std::optional<error> stopped;

 private:
  std::vector<child_spec> children();
  caf::strong_actor_ptr start_runs();

  storage_options options_;
  bool alive_ = false;
  std::vector<caf::actor_addr> listeners_;
  std::shared_ptr<executors> executors_ = std::make_shared<executors>();
  std::map<std::string, workflow_ptr> flows_;  // by their hash, those of child runs too
};

}  // namespace troupe
