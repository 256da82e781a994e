#include "runtime/cassettes/cassette_player.hpp"

#include "runtime/cassettes/cassette_folder.hpp"
#include "runtime/cassettes/nearest_request.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

bool came(const cassette& recorded) { return recorded.answer.how != recorded_end::lost_race; }

// The n-th; further ones are the last.
const recorded_answer& nth(const std::vector<cassette>& answers, attempt_no attempt) {
  return answers[std::min(static_cast<std::size_t>(attempt.value()), answers.size()) - 1].answer;
}

// The same among those that came; null where none did.
const recorded_answer* nth_that_came(const std::vector<cassette>& answers, attempt_no attempt) {
  const recorded_answer* found = nullptr;
  auto left = attempt.value();
  for (const auto& each : answers) {
    if (came(each) && left-- > 0) {
      found = &each.answer;
    }
  }
  return found;
}

}  // namespace

cassette_player::cassette_player(std::string folder, std::vector<cassette> all) : folder_(std::move(folder)) {
  std::ranges::stable_sort(all, {}, [](const cassette& each) { return each.asked.place; });
  for (auto& each : all) {
    auto& answers = by_request_[each.asked.hash][place_of(each.asked.place)];
    answers.push_back(std::move(each));
  }
}

result<recorded_answer> cassette_player::play(const attempt_order& order) const {
  const auto asked = request_of(order);
  const auto found = by_request_.find(asked.hash);
  if (found == by_request_.end()) {
    return miss(asked);
  }
  const auto* answer = answer_to(found->second, order);
  return answer == nullptr ? nobody_to_lose_to(asked) : result<recorded_answer>{*answer};
}

// Of the same step and element, at this superstep or before it; null where there is none.
const std::vector<cassette>* cassette_player::answers_at(const answers_by_place& all, const recorded_place& where) {
  const auto after = all.upper_bound(place_of(where));
  if (after == all.begin()) {
    return nullptr;
  }
  const auto& [before, answers] = *std::prev(after);
  return std::get<step_id>(before) == where.step && std::get<std::int64_t>(before) == where.element ? &answers
                                                                                                    : nullptr;
}

const recorded_answer* cassette_player::answer_to(const answers_by_place& all, const attempt_order& order) {
  const auto* own = answers_at(all, request_of(order).place);
  if (own != nullptr && order.races) {
    return &nth(*own, order.attempt);  // its rivals get theirs from the same superstep
  }
  if (const auto* answer = own != nullptr ? nth_that_came(*own, order.attempt) : nullptr) {
    return answer;
  }
  std::vector<const std::vector<cassette>*> by_time;
  for (const auto& [where, answers] : all) {
    by_time.push_back(&answers);
  }
  std::ranges::stable_sort(by_time, {}, [](const auto* answers) { return answers->front().asked.place.superstep; });
  for (const auto* answers : by_time) {
    if (const auto* answer = nth_that_came(*answers, order.attempt)) {
      return answer;
    }
  }
  return order.races ? &nth(*by_time.front(), order.attempt) : nullptr;
}

std::string cassette_player::nothing_for(const recorded_request& asked) const {
  return "no answer is recorded in " + folder_ + " for what step '" + asked.place.step.str() + "' asks agent '" +
         asked.agent.str() + "'";
}

std::string cassette_player::record_it() const { return "record it: troupe run WORKFLOW --record " + folder_; }

error cassette_player::nobody_to_lose_to(const recorded_request& asked) const {
  return {error_code::not_found,
          nothing_for(asked) + "; what is lost a race, and here is none that it could lose",
          record_it()};
}

error cassette_player::miss(const recorded_request& asked) const {
  std::vector<const recorded_request*> all;
  for (const auto& [hash, places] : by_request_) {
    for (const auto& [where, answers] : places) {
      all.push_back(&answers.front().asked);
    }
  }
  const auto* nearest = nearest_request(all, asked);
  const std::string more = nearest == nullptr
                               ? "; nothing is"
                               : "; the nearest is " + file_name(*nearest) + ", and " + difference(*nearest, asked);
  return {error_code::not_found, nothing_for(asked) + more, record_it()};
}

}  // namespace troupe
