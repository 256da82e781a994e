#include "actors/run/fork.hpp"

#include "actors/json/json.hpp"
#include "actors/run/front.hpp"
#include "actors/run/plan.hpp"
#include "actors/run/routing.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

error contradiction(const run_view& of, const std::string& what) {
  return {error_code::internal,
          "superstep " + what + " of run " + of.run.str() + " does not fit its workflow",
          "`troupe replay " + of.run.str() + "` tells where they part"};
}

}  // namespace

result<create_run> fork_rows(const workflow& flow, const run_view& of, const fork_point& from, const run_id& run) {
  auto rows = first_rows(flow, of.inputs, of.subject, run);
  if (!rows) {
    return rows.error();
  }
  const auto open = from.next.row.superstep;
  const step_index index{flow};
  const auto& steps = from.next.row.standing.steps;
  const auto is_there = [&](const planned_step& each) { return index.find(each.step) != nullptr; };
  const bool is_json = from.at.state && parse(std::string_view{from.at.state->str()}).has_value();
  const auto state = is_json ? json_fields::from(*from.at.state) : std::nullopt;
  if (!std::ranges::all_of(steps, is_there) || !state) {
    return contradiction(of, std::to_string(from.at.row.superstep.value()));
  }
  rows->parent = of.run;
  rows->forked_at = from.at.row.superstep;
  rows->initial_state = *from.at.state;
  rows->state_hash = state_hash(rows->initial_state);
  rows->standing = from.next.row.standing;
  rows->front = tasks_of(flow, run, open, steps, opened_fields{*state});
  rows->gates.clear();
  for (const auto& gate : from.gates) {
    auto asked = gate.asked;
    asked.place.superstep = open;
    if (std::ranges::find(rows->gates, asked.place, &gate_opening::place) != rows->gates.end()) {
      return error{error_code::invalid_input,
                   "the gate '" + asked.place.step.str() + "' waits twice after superstep " +
                       std::to_string(from.at.row.superstep.value()) + "; nothing was forked",
                   "fork at another superstep"};
    }
    rows->gates.push_back(std::move(asked));
  }
  return rows;
}

}  // namespace troupe
