// What is recorded of the tasks of one superstep, fed to a plan in the place of their agents. For the files of replay.
#pragma once

#include "actors/run/replay.hpp"

#include <functional>
#include <map>
#include <vector>

namespace troupe {

/// Compares each request that the plan gives out, each output, and each outcome with what is recorded, and feeds the plan
/// until it is complete or nothing recorded is left.
class recorded_outcomes {
 public:
  /// `front` is what the plan has; a row that is of nothing in it is left out. `recorded` and `reading` must outlive it.
  recorded_outcomes(const recorded_superstep& recorded,
                    const std::vector<planned_task>& front,
                    const replay_reading& reading,
                    std::function<void(replay_mismatch)> tell);

  void feed(plan& progress);

 private:
  struct entry {
    const task_view* task = nullptr;
    std::vector<const recorded_attempt*> attempts;
    bool may_be_fed = false;  // it has an outcome that can be believed
    bool is_out = false;      // the plan has given it out, and waits for it
    bool is_fed = false;
  };

  void look_at(entry& recorded);
  void given_out(plan& progress, const attempt_order& order);
  void check_request(const entry& recorded, const attempt_order& order);
  void check_output(const entry& recorded, const attempt_order& order);
  entry* next_to_feed();
  void tell(const entry& of, replay_subject what, std::string message, const recorded_attempt* attempt = nullptr);
  void differ(const entry& of,
              replay_subject what,
              const recorded_attempt* attempt,
              const std::string& name,
              std::string_view recorded,
              std::string_view replayed);

  const replay_reading& reading_;
  std::function<void(replay_mismatch)> tell_;
  std::vector<entry> entries_;  // in the order in which they ended
  std::map<task_id, std::size_t> places_;
};

}  // namespace troupe
