// Gates of a run, as the plan would open them and people decide on them.
#pragma once

#include "tests/storage/facts.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

inline gate_opening gate_at(const std::string& step, std::int64_t superstep = 1, int level = 1) {
  gate_opening asked;
  asked.place = {superstep_no{superstep}, step_id{step}, level};
  asked.path = graph_path{}.then(0);
  asked.prompt = "Merge?";
  return asked;
}

inline gate_opening crash_gate_of(const task_id& task, const std::string& step, std::int64_t superstep = 1) {
  auto asked = gate_at(step, superstep);
  asked.place.task = task;
  asked.kind = gate_kind::crash;
  return asked;
}

inline decide_gate decided(const run_id& run,
                           const gate_place& place,
                           const std::string& by,
                           gate_choice choice = gate_choice::approved) {
  decide_gate told{run, place, {}};
  told.decision.by = by;
  told.decision.choice = choice;
  told.decision.at = at_second(50);
  return told;
}

}  // namespace troupe
