// What the run actor knows beyond its rows. For the files of this folder only.
#pragma once

#include "actors/run/run_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace troupe {

/// An attempt that was admitted: it asks for a permit, or runs under one.
struct live_attempt {
  attempt_no number;
  std::optional<attempt_order> asks;  ///< While it has no permit.
  permit_id permit;                   ///< 0: it needs none.
  agent_actor agent;
};

/// Why the run begins nothing more. The first reason stands; a pause gives way to a cancel and to the time limit.
struct ending {
  enum class kind { cancel, time_limit, budget, drain, quota, approval } is;
  bool at_once = false;
  std::optional<timestamp> until{};  ///< quota only.
  std::optional<error> why{};        ///< quota and budget only.
};

struct run_actor_state {
  static inline const char* name = "run";

  run_deps deps;
  run_id run;
  std::optional<plan> progress;
  std::map<task_id, live_attempt> attempts;
  std::map<task_id, int> bugs;  // attempts that died of one
  event_seq loaded_at;          // the newest event when the rows were read
  std::optional<ending> end;
  int committing = 0;                   // facts on their way to disk, and readings, that the next step has to wait for
  bool asleep = false;                  // paused until a time or a decision, by its rows
  bool looking = false;                 // asleep, and reading whether there is a reason to wake
  bool called = false;                  // asleep, and there is one that the rows do not tell
  std::vector<caf::actor_addr> former;  // of earlier lives, not known to have ended
  bool gates_stale = false;             // the rows may have decisions that were not read
  std::set<gate_place> awaited;         // gates whose time is waited for
  std::set<gate_place> asked;           // asleep: the gates that were open when it went to sleep
  std::map<std::uint64_t, caf::typed_response_promise<write_reply>> deciding;  // by the order of their coming
  std::uint64_t decisions = 0;
  std::optional<child_moved> parent;  // whose task this run is
  bool woken = false;                 // it waited for people, and its parent is to know that it goes on
  std::set<task_id> moved;            // whose child runs have moved while that could not be acted on
  bool deadline_awaited = false;
  bool reborn = false;  // and its rows are not yet known to hold all that those told

  run_actor_state() = default;
  run_actor_state(const run_actor_state&) = delete;
  run_actor_state& operator=(const run_actor_state&) = delete;

  // A promise that is dropped would never be answered.
  ~run_actor_state() {
    for (auto& [number, promise] : deciding) {
      promise.deliver(write_reply{error{error_code::storage_unavailable,
                                        "the run ended before it had an answer from the database",
                                        "ask again: a decision that was taken is not taken twice"}});
    }
  }
};

using run_pointer = run_actor::stateful_pointer<run_actor_state>;

}  // namespace troupe
