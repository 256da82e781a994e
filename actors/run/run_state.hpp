// What the run actor knows beyond its rows. For the files of this folder only.
#pragma once

#include "actors/run/run_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace troupe {

/// An attempt that was admitted: it asks for a permit, or runs under one.
struct live_attempt {
  attempt_no number;
  std::optional<attempt_order> asks;  ///< While it has no permit.
  permit_id permit;
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
  bool committing = false;              // a superstep or the end is on its way to disk
  bool asleep = false;                  // paused until a time or a decision, by its rows
  std::vector<caf::actor_addr> former;  // of earlier lives, not known to have ended
  bool gates_stale = false;             // the rows have decisions that the plan does not know
  std::set<gate_place> awaited;         // gates whose time is waited for
  bool reborn = false;                  // and its rows are not yet known to hold all that those told
};

using run_pointer = run_actor::stateful_pointer<run_actor_state>;

}  // namespace troupe
