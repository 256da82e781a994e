// What tests of consensus share: policies, agents and answers in few words.
#pragma once

#include "actors/consensus/consensus.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

inline consensus_policy collecting(std::optional<int> quorum = {}) {
  consensus_policy policy;
  policy.quorum = quorum;
  return policy;
}

inline consensus_policy voting(std::optional<int> quorum = {}, std::string vote_on = {}) {
  consensus_policy policy;
  policy.strategy = consensus_strategy::vote;
  policy.quorum = quorum;
  policy.vote_on = std::move(vote_on);
  return policy;
}

inline consensus_policy voting_each(int quorum, std::vector<std::string> by = {}) {
  auto policy = voting(quorum);
  policy.vote_each = "/list";
  policy.vote_by = std::move(by);
  return policy;
}

inline consensus_policy racing() {
  consensus_policy policy;
  policy.strategy = consensus_strategy::race;
  return policy;
}

inline const agent_name judge{"judge"};

inline consensus_policy aggregating(std::optional<int> quorum = {}) {
  consensus_policy policy;
  policy.strategy = consensus_strategy::aggregate;
  policy.quorum = quorum;
  policy.aggregator = judge;
  return policy;
}

inline consensus_policy with_min_answers(consensus_policy policy, int count) {
  policy.min_answers = count;
  return policy;
}

inline std::vector<agent_name> agents(std::size_t count) {
  std::vector<agent_name> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(std::string(1, static_cast<char>('a' + i)));
  }
  return all;
}

inline error late() { return {error_code::task_timeout, "too late", ""}; }

// The answers of a, b, c, ...; nothing where an agent gave none.
inline std::vector<agent_answer> answers(const std::vector<std::optional<std::string>>& values) {
  std::vector<agent_answer> all;
  const auto names = agents(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) {
      all.push_back({names[i], json_text{*values[i]}, std::nullopt});
    } else {
      all.push_back({names[i], std::nullopt, late()});
    }
  }
  return all;
}

inline verdict reached(const consensus_policy& policy, const std::vector<std::optional<std::string>>& values) {
  return reach(policy, agents(values.size()), answers(values));
}

// The same, with what the aggregator gave.
inline verdict aggregated(const consensus_policy& policy,
                          const std::vector<std::optional<std::string>>& values,
                          const std::optional<std::string>& merged) {
  auto asked = agents(values.size());
  auto given = answers(values);
  asked.push_back(judge);
  given.push_back({judge, merged ? std::optional{json_text{*merged}} : std::nullopt, std::nullopt});
  if (!merged) {
    given.back().why_missing = late();
  }
  return reach(policy, asked, given);
}

inline std::string text(const std::optional<json_text>& value) { return value ? value->str() : "none"; }

inline std::string text(const std::vector<answer_group>& groups) {
  std::string all;
  for (const auto& group : groups) {
    all += (all.empty() ? "" : " ") + group.value.str() + ':';
    for (const auto& agent : group.agents) {
      all += agent.str();
    }
  }
  return all;
}

}  // namespace troupe
