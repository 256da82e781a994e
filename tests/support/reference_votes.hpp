// What the answers of several agents come to, for the reference engine.
#pragma once

#include "messages/workflow.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::reference {

struct answer {
  std::string agent;
  boost::json::value value;
};

/// Without it an answer does not count.
bool has_what_is_voted_on(const consensus_policy& policy, const boost::json::value& value);

/// `answers` are not empty, and have what is voted on; `asked` is how many agents were asked.
boost::json::value collected(const std::vector<answer>& answers, std::size_t asked);

/// The whole answer of who first gave what most gave; none where two have equally many.
std::optional<boost::json::value> voted(const consensus_policy& policy, const std::vector<answer>& answers);

/// Elements that enough agents gave, each as it was given first.
boost::json::value voted_on_each(const consensus_policy& policy, const std::vector<answer>& answers, int quorum);

}  // namespace troupe::reference
