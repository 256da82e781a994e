// What a node is made of. For the files of the node itself: node.cpp starts, asks and stops it, node_tree.cpp says which
// actors it has.
#pragma once

#include "actors/lineage.hpp"
#include "actors/run_supervisor/undertakings.hpp"
#include "actors/service.hpp"
#include "actors/supervisor/supervisor_actor.hpp"
#include "actors/writer_client.hpp"
#include "config/settings.hpp"
#include "messages/function.hpp"
#include "messages/interfaces/blob_writer.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/governor.hpp"
#include "messages/interfaces/health.hpp"
#include "messages/interfaces/log_checkpointer.hpp"
#include "messages/interfaces/retry_scheduler.hpp"
#include "messages/interfaces/run_supervisor.hpp"
#include "messages/interfaces/supervisor.hpp"
#include "messages/interfaces/vacuum.hpp"
#include "messages/writes.hpp"
#include "runtime/node.hpp"
#include "storage/lease.hpp"
#include "storage/storage_options.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

class control_door;
class crash_orders;
class function_threads;
class http_client;
class process_reactor;
class prompt_files;
class read_pool;

struct node::state {
  state(settings_ptr with, lease taken, std::shared_ptr<read_pool> sessions);
  ~state();

  settings_ptr config;
  storage_options storage;
  lease held;
  std::shared_ptr<read_pool> readers;
  function_table functions;
  std::shared_ptr<const clock_port> clock;
  std::shared_ptr<const std::map<std::string, std::string>> environment;
  std::shared_ptr<process_reactor> processes;
  starts_view last_starts;  // once the reactor is gone
  std::shared_ptr<function_threads> calls;
  std::shared_ptr<prompt_files> prompts;
  std::shared_ptr<fault_plan> faults;
  std::shared_ptr<crash_orders> crashes;
  node_cassettes cassettes;
  std::shared_ptr<http_client> http;

  caf::actor_system_config cfg;
  caf::actor_system system;

  writer_access writer;
  service<log_checkpointer> checkpointer;
  service<blob_writer> blobs;
  service<database_reader> reader;
  service<event_hub> hub;
  service<retry_scheduler> retries;
  service<governor> permits;
  service<run_supervisor> runs;
  service<vacuum_actor> vacuum;
  service<health_actor> health;
  service<supervisor> housekeeping;
  service<supervisor> top;  // the root, for the other actors
  supervisor root;
  lineage kin;
  undertakings undertaken;
  std::unique_ptr<control_door> control;  // null: there is none

  std::mutex guard;
  std::condition_variable changed;
  bool root_is_down = false;
  bool stopped = false;
  std::optional<error> fatal;
  std::vector<caf::actor_addr> listeners;  // those that have ended are dropped when another comes

  // The tree: node_tree.cpp.
  std::vector<child_spec> children();
  child_spec reader_child(std::size_t which);
  caf::strong_actor_ptr start_runs();
  void pin(create_run& rows) const;
  std::vector<child_spec> housekeepers();
  caf::strong_actor_ptr start_health();

  // Its life: node.cpp.
  void watch_root();
  bool is_down();
  void wait_until_up();
  void open_control(node& door);
  void stop(stop_mode mode);
  void tear_down();

  // What people decide: node_gates.cpp.
  write_reply decide_on(const decide_gate& told, std::chrono::steady_clock::time_point deadline);
};

/// How long an actor of the node waits for a connection to read from, and a door's caller too.
inline constexpr milliseconds reading_patience{10'000};

}  // namespace troupe
