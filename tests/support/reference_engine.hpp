// The engine once more, as simply as it can be said: what docs/adr/0013 and the workflow format promise, carried out one
// task after the other, without rows, crashes and time. The engine is compared with it; it shares the types of a workflow with
// it, Boost's JSON values, and nothing else. Not in it: races, aggregates and child runs.
#pragma once

#include "messages/workflow.hpp"
#include "tests/support/reference_values.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// What a task comes to.
struct reference_work {
  bool failed = false;
  boost::json::value value;
  std::vector<std::pair<std::string, boost::json::value>> deltas{};
  std::optional<std::vector<std::string>> route{};
};

/// What becomes of a gate, and in which superstep at the earliest.
struct reference_decision {
  enum class kind { approved, rejected, expired };
  int superstep = 1;
  kind is = kind::approved;
  bool by_somebody = true;
  std::optional<boost::json::object> edit{};
};

struct reference_world {
  /// Pure. `agent` is empty for a function, `item` null but for an element of a map.
  std::function<reference_work(
      const step&, const std::string& agent, const boost::json::value* item, const boost::json::object& state)>
      work;
  /// Pure. By where the gate stands: the superstep that it was opened for, and its level.
  std::function<reference_decision(const step&, int opened, int level)> decide;
  int supersteps_max = 50;
};

/// One superstep in words: its number, where its steps stand, its tasks, the gates that it took, the state after it.
struct reference_superstep {
  int number = 0;
  std::vector<std::string> steps{};  ///< `id@0*3.2`
  std::vector<std::string> tasks{};  ///< `id`, `id:agent`, `id/2` of a map
  std::vector<std::string> taken{};  ///< `id/opened/level`
  boost::json::object state{};

  friend bool operator==(const reference_superstep&, const reference_superstep&) = default;
};

struct reference_run {
  std::vector<reference_superstep> supersteps;
  std::string code;  ///< The name of its error; empty: completed. `...` where supersteps_max were not enough.
  std::string step;  ///< That failed.
  std::int64_t executed = 0;
  bool degraded = false;  ///< Somebody was missing in a step of several agents. False where it has no end.
};

reference_run run_by_reference(const workflow& flow, const reference_world& world);

}  // namespace troupe
