#include "actors/run/routing.hpp"

#include "actors/run/conditions.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace troupe {
namespace {

struct taken_route {
  step_id to;
  std::uint32_t index = 0;
};

std::string listed(const std::vector<route>& routes) {
  std::string all;
  for (const auto& each : routes) {
    all += (all.empty() ? "'" : ", '") + each.to.str() + '\'';
  }
  return all;
}

// Behind `next`, on_error and the joins, so that no two ways of a step have one index.
std::uint32_t index_of(const step& from, const step_id& to, std::size_t place, std::size_t steps) {
  const auto declared = std::ranges::find(from.next, to, &route::to);
  return static_cast<std::uint32_t>(declared != from.next.end() ? static_cast<std::size_t>(declared - from.next.begin())
                                                                : from.next.size() + 1 + steps + place);
}

bool names(const step& from, const step_id& to) {
  return std::ranges::find(from.next, to, &route::to) != from.next.end();
}

class follower {
 public:
  follower(const step_index& steps, std::span<const join_arrival> arrivals, const opened_fields& state)
      : steps_(steps), state_(state) {
    standing_.arrivals.assign(arrivals.begin(), arrivals.end());
    for (const auto& each : arrivals) {
      arrived_.emplace(each.join, each.from);
    }
  }

  std::optional<routing_refusal> leave(const step_end& ended) {
    auto routes = routes_of(ended);
    if (!routes) {
      return routing_refusal{ended.declared->id, std::move(routes).error()};
    }
    for (const auto& way : *routes) {
      const auto* target = steps_.find(way.to);
      if (target == nullptr) {
        return routing_refusal{ended.declared->id, leads_nowhere(ended, way.to)};
      }
      if (!target->join.empty() && !joins(*target, ended.declared->id)) {
        return routing_refusal{ended.declared->id, leads_past_join(ended, way.to)};
      }
      arrive_or_run(*target, ended, ended.path.then(way.index));
    }
    if (!ended.failed) {
      arrive_unnamed(ended);
    }
    return std::nullopt;
  }

  superstep_standing standing() {
    run_joins();
    for (auto& [step, path] : next_) {
      standing_.steps.push_back({step, std::move(path)});
    }
    std::ranges::stable_sort(standing_.steps, {}, &planned_step::path);
    return std::move(standing_);
  }

 private:
  result<std::vector<taken_route>> routes_of(const step_end& ended) const {
    const auto& declared = *ended.declared;
    std::vector<taken_route> taken;
    if (ended.failed) {
      taken.push_back({*declared.on_error, static_cast<std::uint32_t>(declared.next.size())});
    } else if (ended.route) {
      for (std::size_t i = 0; i < ended.route->size(); ++i) {
        const auto& to = (*ended.route)[i];
        taken.push_back({to, index_of(declared, to, i, steps_.count())});
      }
    } else if (std::ranges::none_of(declared.next, [](const route& each) { return each.when.has_value(); })) {
      for (std::uint32_t i = 0; i < declared.next.size(); ++i) {
        taken.push_back({declared.next[i].to, i});
      }
    } else {
      const auto first = std::ranges::find_if(
          declared.next, [&](const route& each) { return !each.when || holds(*each.when, state_); });
      if (first == declared.next.end()) {
        return error{
            error_code::no_route,
            "none of the conditions of step '" + declared.id.str() + "' holds: it could go to " + listed(declared.next),
            "add a last route without 'when', or look at the state: `troupe show RUN`"};
      }
      taken.push_back({first->to, static_cast<std::uint32_t>(first - declared.next.begin())});
    }
    return taken;
  }

  static error leads_nowhere(const step_end& ended, const step_id& to) {
    return {error_code::no_route,
            "step '" + ended.declared->id.str() + "' chose to go to '" + to.str() + "', and there is no such step",
            "name a step of the workflow"};
  }

  // Else the join would run with a part of what it waits for. Of routes in the file the check of workflows says it.
  static error leads_past_join(const step_end& ended, const step_id& to) {
    return {error_code::no_route,
            "step '" + ended.declared->id.str() + "' chose to go to '" + to.str() +
                "', which waits for others and does not join it",
            "name the step in the join's 'join', or choose another way"};
  }

  // By who joins `from`, which are few, where a join may name a thousand.
  bool joins(const step& target, const step_id& from) const {
    return std::ranges::any_of(steps_.joins_of(from), [&](const auto& each) { return each.first == &target; });
  }

  void arrive_or_run(const step& target, const step_end& from, graph_path path) {
    if (joins(target, from.declared->id)) {
      arrive(target.id, from.declared->id, std::move(path));
    } else {
      run(target.id, std::move(path));
    }
  }

  void arrive_unnamed(const step_end& ended) {
    const auto& declared = *ended.declared;
    for (const auto& [join, place] : steps_.joins_of(declared.id)) {
      if (!names(declared, join->id)) {
        arrive(join->id, declared.id, ended.path.then(static_cast<std::uint32_t>(declared.next.size()) + 1 + place));
      }
    }
  }

  // Once is enough, until the join has run.
  void arrive(const step_id& join, const step_id& from, graph_path path) {
    if (arrived_.emplace(join, from).second) {
      standing_.arrivals.push_back({join, from, std::move(path)});
    }
  }

  void run(const step_id& step, graph_path path) {
    const auto [known, is_new] = next_.try_emplace(step, path);
    if (!is_new && path < known->second) {
      known->second = std::move(path);
    }
  }

  void run_joins() {
    std::map<step_id, std::size_t> counts;
    for (const auto& each : standing_.arrivals) {
      ++counts[each.join];
    }
    for (const auto& [join, count] : counts) {
      if (count < steps_.find(join)->join.size()) {
        continue;
      }
      for (const auto& each : standing_.arrivals) {
        if (each.join == join) {
          run(join, each.path);
        }
      }
      std::erase_if(standing_.arrivals, [&, &which = join](const join_arrival& each) { return each.join == which; });
    }
  }

  const step_index& steps_;
  const opened_fields& state_;
  superstep_standing standing_;
  std::set<std::pair<step_id, step_id>> arrived_;  // join and from, of `arrivals` too
  std::map<step_id, graph_path> next_;
};

}  // namespace

step_index::step_index(const workflow& flow) {
  for (std::uint32_t i = 0; i < flow.steps.size(); ++i) {
    const auto& each = flow.steps[i];
    steps_.try_emplace(each.id, &each);
    for (const auto& from : each.join) {
      joins_[from].emplace_back(&each, i);
    }
  }
}

const step* step_index::find(const step_id& id) const {
  const auto found = steps_.find(id);
  return found == steps_.end() ? nullptr : found->second;
}

std::span<const std::pair<const step*, std::uint32_t>> step_index::joins_of(const step_id& id) const {
  const auto found = joins_.find(id);
  return found == joins_.end() ? std::span<const std::pair<const step*, std::uint32_t>>{} : found->second;
}

std::variant<superstep_standing, routing_refusal> follow(const step_index& steps,
                                                         std::span<const step_end> ended,
                                                         std::span<const join_arrival> arrivals,
                                                         const opened_fields& state) {
  follower next{steps, arrivals, state};
  for (const auto& each : ended) {
    if (auto refused = next.leave(each)) {
      return *std::move(refused);
    }
  }
  return next.standing();
}

error no_progress(const step_index& steps, std::span<const join_arrival> arrivals) {
  const auto& join = arrivals.front().join;
  std::string lacks;
  for (const auto& from : steps.find(join)->join) {
    const bool has_come =
        std::ranges::any_of(arrivals, [&](const join_arrival& each) { return each.join == join && each.from == from; });
    lacks += has_come ? "" : (lacks.empty() ? "'" : ", '") + from.str() + '\'';
  }
  return {error_code::no_progress,
          "the join '" + join.str() + "' waits for " + lacks + ", and nothing runs that could lead there",
          "let every way of the graph reach the join, or take out of 'join' what need not come"};
}

error goes_in_circles(std::int64_t idle, const step_id& next) {
  return {error_code::no_progress,
          "the run goes in circles: " + std::to_string(idle) + " supersteps in a row had nothing to execute, and '" +
              next.str() + "' would follow again",
          "leave the loop by a route with 'when', or stop it where a gate approves of itself or a map has no elements"};
}

}  // namespace troupe
