// Which steps follow those of a superstep: routes, joins, and the order of the graph. Pure.
#pragma once

#include "actors/json/opened_fields.hpp"
#include "messages/base/result.hpp"
#include "messages/run.hpp"
#include "messages/workflow.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace troupe {

/// The steps of a workflow by id, and who waits for whom. Refers to the workflow.
class step_index {
 public:
  explicit step_index(const workflow& flow);

  /// Null when there is none.
  const step* find(const step_id& id) const;

  std::size_t count() const noexcept { return steps_.size(); }

  /// The steps that join `id`, in the order of the file, each with its place in the file.
  std::span<const std::pair<const step*, std::uint32_t>> joins_of(const step_id& id) const;

 private:
  std::map<step_id, const step*> steps_;
  std::map<step_id, std::vector<std::pair<const step*, std::uint32_t>>> joins_;
};

/// A step that is done, as far as its followers depend on it.
struct step_end {
  const step* declared = nullptr;
  graph_path path;
  bool failed = false;                          ///< Its on_error follows, which is there.
  std::optional<std::vector<step_id>> route{};  ///< A function's own.
};

struct routing_refusal {
  step_id step;
  error why;
};

/// What the next superstep begins with, but its tasks: steps in the order of their paths, each once, by the smallest of
/// the paths that lead to it.
///
/// `ended` in the order of their paths, `arrivals` as the superstep began with them. A route `i` of a step with path `p`
/// gives `p.then(i)`, its on_error the index after its routes, a join that it does not name the place of the join in the
/// file behind that; what a function chose beside them is behind all of these, in its own order. Where a step that is
/// joined names the join in `next`, it arrives by taking that route; else by completing. A join runs when all have
/// arrived, by the smallest of their paths, and then forgets them.
/// NO_ROUTE: conditions exist and none holds, or a function's own route leads nowhere, or to a join that does not join
/// it.
std::variant<superstep_standing, routing_refusal> follow(const step_index& steps,
                                                         std::span<const step_end> ended,
                                                         std::span<const join_arrival> arrivals,
                                                         const opened_fields& state);

/// Of joins that can no longer run, since nothing follows: the first, and what it lacks. `arrivals` is not empty.
error no_progress(const step_index& steps, std::span<const join_arrival> arrivals);

/// NO_PROGRESS: `idle` supersteps in a row executed nothing, and `next` follows again.
error goes_in_circles(std::int64_t idle, const step_id& next);

}  // namespace troupe
