// The composition root: one node is one database with its one writer, and every actor beside it.
// Doors (command line, later HTTP and the library's API) go through here and nowhere else.
#pragma once

#include "messages/base/result.hpp"
#include "messages/event.hpp"
#include "messages/function.hpp"
#include "messages/health.hpp"
#include "messages/limits.hpp"
#include "messages/maintenance.hpp"
#include "messages/run.hpp"
#include "messages/starts.hpp"
#include "messages/supervision.hpp"
#include "messages/views.hpp"
#include "messages/workflow.hpp"
#include "runtime/gate_question.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class answer_player;
class answer_recorder;
class fault_plan;
struct fault_view;
struct settings;

/// Where answers of agents are kept, or taken from in their place. Null: not; one of them at most.
struct node_cassettes {
  std::shared_ptr<answer_recorder> recorder = nullptr;
  std::shared_ptr<answer_player> player = nullptr;
  std::string played_from{};  ///< The player's folder, absolute: runs that begin here remember it.
};

struct node_options {
  std::shared_ptr<const settings> config;
  function_table functions;                      ///< Beside `probe.*`, which every node has.
  std::shared_ptr<fault_plan> faults = nullptr;  ///< Failures to inject, for users who test; null: none.
  node_cassettes cassettes = {};
};

/// What a caller wants to run. Checked by config/ beforehand.
struct submission {
  workflow_ptr flow;       ///< Null: the run `id` is there, and goes on as its rows have it; the rest does not matter.
  json_text inputs{"{}"};  ///< A JSON object: every declared input with its value.
  std::string subject;     ///< What the run is about; empty: the workflow's name.
  run_id id;               ///< Empty: the node makes one.
};

struct submitted {
  run_id run;
  bool already_finished = false;  ///< The id was there, with the same content, and had ended: nothing runs.
  bool resumed = false;           ///< The id was there, with the same content, and goes on.
};

/// Called on a thread of the node, one call at a time; must not block for long (a slow listener is served from the
/// database later, its progress is thinned). Events arrive without gap or double, in order of seq.
/// Each may be empty.
struct run_listener {
  std::function<void(const event_batch&)> events;
  std::function<void(const task_progress&)> progress;
  std::function<void(const error&)> stopped;  ///< The run cannot go on, and has no end in its rows. Nothing follows.
};

enum class stop_mode {
  drain,    ///< Running tasks get runtime.drain_timeout, then they are stopped; unfinished runs become paused.
  at_once,  ///< Running tasks are killed now.
};

/// How an actor ends before its time.
enum class actor_fault {
  exception,  ///< In a handler: its reason is logged and counted.
  kill,       ///< Without a word.
};

class node {
 public:
  /// Takes the lease, opens and migrates the database, starts the custodian and the actors. Blocks some milliseconds.
  /// LEASE_HELD, STORAGE_*: nothing was changed.
  static result<std::unique_ptr<node>> start(node_options options);

  /// As stop(stop_mode::at_once).
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Returns after the run's first rows are committed. Any thread; blocks for a commit.
  /// IDEMPOTENCY_VIOLATION: the id is taken by a run of other content.
  result<submitted> submit(submission what);

  /// Events after `since`, from the table first and then live, and progress. Any thread. Until the run has ended or the
  /// node stops.
  void subscribe(const run_id& run, event_seq since, run_listener listener);

  /// Stops the run's tasks (SIGTERM, kill_grace, SIGKILL; `at_once` skips the first two) and ends it as cancelled. An
  /// unfinished run that this node does not carry out is taken up for that, and nothing of it begins.
  /// Returns at once; the end comes as an event. Any thread.
  void cancel(const run_id& run, bool at_once);

  /// Commits a person's decision; its `at` is set here. A run that this node carries out goes on by it; another one is left
  /// as it is, and whoever goes on with it finds the decision. Any thread; blocks for a commit, but 3 s at most: then it is
  /// STORAGE_UNAVAILABLE, and nobody knows whether it was taken. Given again, it is taken once.
  /// As find_gate. INVALID_INPUT also: this person has no vote, or decides about another action than the one that is asked
  /// about. CANCELLED: the run has ended meanwhile.
  result<gate_receipt> decide(const run_id& run, const gate_question& which, gate_decision decision);

  /// What waits for a decision, in all runs, the oldest first. Any thread; blocks for a read.
  result<std::vector<pending_view>> pending() const;

  /// Any thread; blocks for a read, and where all readers are in use for its turn (BACKPRESSURE after 10 s).
  result<run_view> find_run(const run_id& run) const;

  /// The connections for reading: how many are in use, who had to wait for one. Any thread.
  read_pool_view readers() const;

  /// How long starts of processes took lately, for each agent and each batch. Any thread, but not while one stops the node.
  starts_view starts() const;

  /// The live tree of supervision: who runs, how often restarted, what waits. Any thread; blocks for at most a second a
  /// level of the tree, where an actor does not answer. CANCELLED: the node has stopped.
  result<tree_view> tree() const;

  /// Whether every part answered when it was asked last, and whether regular work gets done. Any thread; blocks shortly.
  /// NOT_FOUND: nobody looks (runtime.health_every = 0). CANCELLED: the node has stopped.
  result<health_view> health() const;

  /// What providers and the node let begin now, how much of that is used, and which runs wait for which time. Any thread;
  /// blocks shortly. CANCELLED: the node has stopped. INTERNAL: who knows it did not answer within a second.
  result<node_limits> limits() const;

  /// The failures that were ordered, and how often each has happened; none where none were. Any thread.
  std::vector<fault_view> faults() const;

  /// Ends the actor of this name in tree(), as a bug would. For tests of supervision. Any thread; returns when it has been
  /// told. NOT_FOUND: none of this name runs.
  status end_actor(std::string_view name, actor_fault how);

  /// Gives every free page of the database back, beside whatever runs, and returns when that is done. Any thread.
  /// NOT_FOUND: vacuum is switched off.
  result<vacuum_report> vacuum_database();

  /// When it was vacuumed last, and whether that is as it should be. Any thread; blocks shortly. Errors as above.
  result<vacuum_view> vacuum_health() const;

  /// Orderly end; the writer is last. A second call, from another thread, with at_once shortens the first.
  /// After it no child process and no thread of the node is left. Any thread.
  void stop(stop_mode mode);

  /// Set when the root supervisor gave up: the node cannot go on and should be stopped. Any thread.
  std::optional<error> fatal() const;

 private:
  struct state;
  explicit node(std::unique_ptr<state> inner);
  std::unique_ptr<state> inner_;
};

}  // namespace troupe
