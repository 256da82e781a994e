#include "tests/support/reference_votes.hpp"

#include "tests/support/reference_values.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>

namespace troupe::reference {

namespace json = boost::json;

bool has_what_is_voted_on(const consensus_policy& policy, const json::value& value) {
  if (policy.strategy != consensus_strategy::vote) {
    return true;
  }
  const auto* found = look(value, policy.vote_each.empty() ? policy.vote_on : policy.vote_each);
  return found != nullptr && (policy.vote_each.empty() || found->is_array());
}

json::value collected(const std::vector<answer>& answers, std::size_t asked) {
  if (asked == 1) {
    return answers.front().value;
  }
  json::object all;
  for (const auto& each : answers) {
    all[each.agent] = each.value;
  }
  return all;
}

std::optional<json::value> voted(const consensus_policy& policy, const std::vector<answer>& answers) {
  const auto supporters = [&](const answer& one) {
    return std::ranges::count_if(answers, [&](const answer& other) {
      return same(folded(*look(one.value, policy.vote_on)), folded(*look(other.value, policy.vote_on)));
    });
  };
  const auto first = std::ranges::max_element(answers, {}, supporters);  // the first of the greatest
  for (const auto& each : answers) {
    const bool agrees = same(folded(*look(each.value, policy.vote_on)), folded(*look(first->value, policy.vote_on)));
    if (!agrees && supporters(each) == supporters(*first)) {
      return std::nullopt;
    }
  }
  return first->value;
}

json::value voted_on_each(const consensus_policy& policy, const std::vector<answer>& answers, int quorum) {
  json::array agreed;
  std::set<std::string> seen;
  for (const auto& one : answers) {
    for (const auto& element : look(one.value, policy.vote_each)->as_array()) {
      const auto words = words_of(folded(element));
      const auto gave_it = [&](const answer& other) {
        return std::ranges::any_of(look(other.value, policy.vote_each)->as_array(),
                                   [&](const json::value& each) { return words_of(folded(each)) == words; });
      };
      const bool is_enough =
          std::ranges::count_if(answers, gave_it) >= std::min<std::ptrdiff_t>(quorum, std::ssize(answers));
      if (seen.insert(words).second && is_enough) {
        agreed.push_back(element);
      }
    }
  }
  return agreed;
}

}  // namespace troupe::reference
