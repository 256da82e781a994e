// Which of the recorded answers an attempt gets. Decides by what was asked and by the place of the task, never by who asks
// first.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "runtime/cassettes/cassette.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace troupe {

/// A request that was made several times has its answers in the order in which its task asked: the n-th attempt the n-th
/// answer, and each further one the last. A task that stands elsewhere in its run than any that was recorded gets the
/// answers of the same step at the superstep before it, else of the earliest place. That one lost a race is an answer
/// where the task is in a race of the same step; elsewhere any that came is preferred.
class cassette_player final : public answer_player {
 public:
  /// `folder` is for messages.
  cassette_player(std::string folder, std::vector<cassette> all);

  /// NOT_FOUND also where all that is recorded lost a race, and this task is in none: nobody would ever stop it.
  result<recorded_answer> play(const attempt_order& order) const override;

 private:
  using place = std::tuple<step_id, std::int64_t, superstep_no>;    // step, element, superstep
  using answers_by_place = std::map<place, std::vector<cassette>>;  // each by attempt

  static place place_of(const recorded_place& where) { return {where.step, where.element, where.superstep}; }
  static const std::vector<cassette>* answers_at(const answers_by_place& all, const recorded_place& where);
  static const recorded_answer* answer_to(const answers_by_place& all, const attempt_order& order);
  error miss(const recorded_request& asked) const;
  error nobody_to_lose_to(const recorded_request& asked) const;
  std::string nothing_for(const recorded_request& asked) const;
  std::string record_it() const;

  std::string folder_;
  std::map<std::string, answers_by_place> by_request_;
};

}  // namespace troupe
