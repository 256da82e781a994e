#include "actors/consensus/consensus.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"
#include "messages/base/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

// A text, as it stands: parsed only where it is voted on, since it may be large.
struct given_answer {
  agent_name agent;
  json_text text;
};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string normalised(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (is_space(c)) {
      space = !out.empty();
      continue;
    }
    if (std::exchange(space, false)) {
      out += ' ';
    }
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

json::value normalised(const json::value& value) {
  if (const auto* text = value.if_string()) {
    return json::value(normalised(std::string_view{*text}));
  }
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const auto& element : *list) {
      out.push_back(normalised(element));
    }
    return out;
  }
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& member : *object) {
      out[member.key()] = normalised(member.value());
    }
    return out;
  }
  return value;
}

json_text key_of(const json::value& value) { return canonical(normalised(value)); }

// What `vote_by` looks at; the whole element where it is empty, or leads nowhere: two elements are not the same for
// what both lack. Absent parts are told from null ones.
json_text key_of(const json::value& element, const std::vector<std::string>& vote_by) {
  if (vote_by.empty()) {
    return key_of(element);
  }
  json::array parts;
  bool any = false;
  for (const auto& pointer : vote_by) {
    const auto* part = find(element, pointer);
    any = any || part != nullptr;
    parts.push_back(part == nullptr ? json::value(json::array{}) : json::value(json::array{normalised(*part)}));
  }
  return any ? canonical(parts) : key_of(element);
}

// Answers that are the same, in order of their first giver.
struct grouping {
  std::vector<answer_group> groups;
  std::map<std::string, std::size_t> index;

  void add(const json_text& key, const json_text& value, const agent_name& agent) {
    const auto [at, is_new] = index.try_emplace(key.str(), groups.size());
    if (is_new) {
      groups.push_back({value, {}});
    }
    auto& agents = groups[at->second].agents;
    if (std::ranges::find(agents, agent) == agents.end()) {
      agents.push_back(agent);
    }
  }
};

void sort_dissent(std::vector<answer_group>& dissent) {
  std::ranges::sort(dissent, [](const answer_group& a, const answer_group& b) {
    return a.agents.size() != b.agents.size() ? a.agents.size() > b.agents.size() : a.value.str() < b.value.str();
  });
}

std::string names(const std::vector<agent_name>& agents) {
  std::string all;
  for (const auto& agent : agents) {
    all += (all.empty() ? "" : ", ") + agent.str();
  }
  return all;
}

std::optional<error> lacks_what_is_voted_on(const consensus_policy& policy, const json::value& value) {
  const bool each = !policy.vote_each.empty();
  const auto& pointer = each ? policy.vote_each : policy.vote_on;
  const auto* part = find(value, pointer);
  if (part == nullptr) {
    return error{error_code::output_invalid, "the answer has nothing at " + pointer + ", which the vote is on", ""};
  }
  if (each && !part->is_array()) {
    return error{
        error_code::output_invalid, "the answer has no list at " + pointer + ", whose elements are voted on", ""};
  }
  return std::nullopt;
}

std::optional<error> lacks_what_is_required(const std::vector<std::string>& required, const json::value& value) {
  for (const auto& pointer : required) {
    if (find(value, pointer) == nullptr) {
      return error{error_code::output_invalid, "the answer has nothing at " + pointer + ", which is required", ""};
    }
  }
  return std::nullopt;
}

const agent_answer* answer_of(const agent_name& agent, std::span<const agent_answer> answers) {
  const auto found = std::ranges::find(answers, agent, &agent_answer::agent);
  return found == answers.end() ? nullptr : &*found;
}

error reason_of(const agent_answer* answer, const error& without_one) {
  return answer == nullptr ? without_one : answer->why_missing.value_or(without_one);
}

error no_answer() { return {error_code::agent_no_output, "no answer", ""}; }

// Those who have nothing to say of themselves when a race is won were never waited for.
error silence(const consensus_policy& policy,
              std::span<const agent_name> members,
              std::span<const agent_answer> answers) {
  const bool won = std::ranges::any_of(members, [&](const agent_name& member) {
    const auto* answer = answer_of(member, answers);
    return answer != nullptr && answer->value;
  });
  const bool lost = won && policy.strategy == consensus_strategy::race;
  return lost ? error{error_code::cancelled, "another agent answered first", ""} : no_answer();
}

std::vector<given_answer> take_in(verdict& made,
                                  const consensus_policy& policy,
                                  std::span<const agent_name> members,
                                  std::span<const agent_answer> answers) {
  std::vector<given_answer> given;
  const auto silent = silence(policy, members, answers);
  for (const auto& agent : members) {
    made.asked.push_back(agent);
    const auto* answer = answer_of(agent, answers);
    if (answer == nullptr || !answer->value) {
      made.missing.push_back({agent, reason_of(answer, silent)});
      continue;
    }
    if (policy.strategy == consensus_strategy::vote) {
      if (auto why = lacks_what_is_voted_on(policy, parse(*answer->value))) {
        made.missing.push_back({agent, *std::move(why)});
        continue;
      }
    }
    made.answered.push_back(agent);
    given.push_back({agent, *answer->value});
  }
  return given;
}

// With these nobody came so far as to print anything.
constexpr std::array nothing_printed{error_code::agent_not_found,
                                     error_code::auth_required,
                                     error_code::budget_exceeded,
                                     error_code::circuit_open,
                                     error_code::internal,
                                     error_code::invalid_input,
                                     error_code::not_found,
                                     error_code::provider_unavailable,
                                     error_code::rate_limited};

std::string quorum_hint(const verdict& made) {
  const bool is_silent = std::ranges::all_of(made.missing, [](const missing_agent& each) {
    return std::ranges::find(nothing_printed, each.why.code) != nothing_printed.end();
  });
  return is_silent && !made.missing.empty() ? made.missing.front().why.hint
                                            : "see what they printed: troupe logs RUN --stderr";
}

error quorum_error(const verdict& made, int fewest) {
  std::string text = std::to_string(made.answered.size()) + " of " + std::to_string(made.asked.size()) +
                     " agents answered, " + std::to_string(made.quorum) + (made.quorum == 1 ? " is" : " are") +
                     " needed" + (fewest < made.quorum ? " (" + std::to_string(fewest) + " in an emergency)" : "") +
                     "; missing:";
  for (const auto& missing : made.missing) {
    text +=
        " " + missing.agent.str() + " (" + std::string{to_string(missing.why.code)} + ": " + missing.why.message + ")";
  }
  return {error_code::quorum_not_met, text, quorum_hint(made)};
}

void collect(verdict& made, const std::vector<given_answer>& given, std::size_t members) {
  made.agreement = 1;
  if (members == 1) {
    made.winner = given.front().text;
    return;
  }
  json_fields::changes all;
  for (const auto& answer : given) {
    all.insert_or_assign(answer.agent.str(), answer.text.str());
  }
  made.winner = json_fields{}.with(all).text();
}

// The group at `first` has won; the others are in dissent.
void decide(verdict& made, std::vector<answer_group>& groups, std::vector<answer_group>::iterator first) {
  made.winner = first->value;
  made.agreement = static_cast<double>(first->agents.size()) / static_cast<double>(made.answered.size());
  made.agreed.push_back(*first);
  groups.erase(first);
  made.dissent = std::move(groups);
  sort_dissent(made.dissent);
}

void race(verdict& made, std::vector<given_answer>& given, std::span<const agent_answer> answers) {
  std::ranges::sort(given, {}, [&](const given_answer& one) { return answer_of(one.agent, answers); });
  std::ranges::transform(given, made.answered.begin(), &given_answer::agent);
  grouping same;
  for (const auto& answer : given) {
    same.add(key_of(parse(answer.text)), answer.text, answer.agent);
  }
  made.degraded = false;
  made.status = verdict_status::ok;
  decide(made, same.groups, same.groups.begin());
}

void aggregate(verdict& made,
               const consensus_policy& policy,
               const std::vector<given_answer>& given,
               std::span<const agent_answer> answers) {
  const auto members = made.asked.size();
  made.asked.push_back(policy.aggregator);
  made.aggregator = policy.aggregator;
  const auto* answer = answer_of(policy.aggregator, answers);
  auto why = answer != nullptr && answer->value ? lacks_what_is_required(policy.required, parse(*answer->value))
                                                : std::optional{reason_of(answer, no_answer())};
  if (why) {
    made.missing.push_back({policy.aggregator, *std::move(why)});
    made.degraded = true;
    made.status = verdict_status::degraded;
    collect(made, given, members);
    return;
  }
  made.answered.push_back(policy.aggregator);
  made.agreement = 1;
  made.winner = answer->value;
}

void vote(verdict& made, const consensus_policy& policy, const std::vector<given_answer>& given) {
  grouping same;
  for (const auto& answer : given) {
    same.add(key_of(*find(parse(answer.text), policy.vote_on)), answer.text, answer.agent);
  }
  auto& groups = same.groups;
  const auto most =
      std::ranges::max(groups, {}, [](const answer_group& group) { return group.agents.size(); }).agents.size();
  const auto leads = [&](const answer_group& group) { return group.agents.size() == most; };
  if (std::ranges::count_if(groups, leads) == 1) {
    decide(made, groups, std::ranges::find_if(groups, leads));
    return;
  }
  std::string sides;
  for (const auto& group : groups) {
    sides += leads(group) ? (sides.empty() ? "" : " against ") + names(group.agents) : "";
  }
  made.status = verdict_status::conflict;
  made.why = error{
      error_code::consensus_conflict, "the agents do not agree: " + sides, "see their answers: troupe output RUN STEP"};
  made.dissent = std::move(groups);
  sort_dissent(made.dissent);
}

void vote_each(verdict& made, const consensus_policy& policy, const std::vector<given_answer>& given) {
  grouping same;
  for (const auto& answer : given) {
    const auto value = parse(answer.text);
    for (const auto& element : find(value, policy.vote_each)->get_array()) {
      same.add(key_of(element, policy.vote_by), canonical(element), answer.agent);
    }
  }
  const auto needed = std::min(static_cast<std::size_t>(made.quorum), given.size());
  std::string agreed;
  for (auto& group : same.groups) {
    if (group.agents.size() >= needed) {
      agreed += (agreed.empty() ? "" : ",") + group.value.str();
      made.agreed.push_back(std::move(group));
    } else {
      made.dissent.push_back(std::move(group));
    }
  }
  const auto all = made.agreed.size() + made.dissent.size();
  made.agreement = all == 0 ? 1 : static_cast<double>(made.agreed.size()) / static_cast<double>(all);
  made.winner = json_text{'[' + agreed + ']'};
  sort_dissent(made.dissent);
}

json::object to_object(const error& why) {
  json::object object{{"code", std::string{to_string(why.code)}}, {"message", why.message}};
  if (!why.hint.empty()) {
    object["hint"] = why.hint;
  }
  return object;
}

json::array to_array(const std::vector<agent_name>& agents) {
  json::array list;
  for (const auto& agent : agents) {
    list.push_back(json::value(agent.str()));
  }
  return list;
}

json::array to_array(const std::vector<answer_group>& groups) {
  json::array list;
  for (const auto& group : groups) {
    list.push_back(json::object{{"value", parse(group.value)}, {"agents", to_array(group.agents)}});
  }
  return list;
}

}  // namespace

json_text normalised(const json_text& answer) { return key_of(parse(answer)); }

verdict reach(const consensus_policy& policy,
              std::span<const agent_name> asked,
              std::span<const agent_answer> answers) {
  const bool has_aggregator = policy.strategy == consensus_strategy::aggregate;
  invariant(asked.size() > (has_aggregator ? 1U : 0U), "somebody was asked");
  invariant(!has_aggregator || asked.back() == policy.aggregator, "the aggregator is the last who is asked");
  const auto members = asked.first(asked.size() - (has_aggregator ? 1U : 0U));
  const int fewest = fewest_of(policy, static_cast<int>(members.size()));
  verdict made;
  made.quorum = quorum_of(policy, static_cast<int>(members.size()));
  auto given = take_in(made, policy, members, answers);
  const auto count = given.size();
  made.degraded = !made.missing.empty();
  if (given.empty() || count < static_cast<std::size_t>(fewest)) {
    made.status = verdict_status::insufficient;
    made.why = quorum_error(made, fewest);
    return made;
  }
  made.status = made.degraded ? verdict_status::degraded : verdict_status::ok;
  switch (policy.strategy) {
    case consensus_strategy::collect:
      collect(made, given, members.size());
      break;
    case consensus_strategy::race:
      race(made, given, answers);
      break;
    case consensus_strategy::vote:
      if (policy.vote_each.empty()) {
        vote(made, policy, given);
      } else {
        vote_each(made, policy, given);
      }
      break;
    case consensus_strategy::aggregate:
      aggregate(made, policy, given, answers);
      break;
  }
  made.emergency = made.winner && count < static_cast<std::size_t>(made.quorum);
  return made;
}

json_text to_json(const verdict& reached) {
  json::array missing;
  for (const auto& each : reached.missing) {
    auto object = to_object(each.why);
    object["agent"] = each.agent.str();
    missing.push_back(std::move(object));
  }
  json::object all{{"status", std::string{to_string(reached.status)}},
                   {"degraded", reached.degraded},
                   {"emergency", reached.emergency},
                   {"quorum", reached.quorum},
                   {"asked", to_array(reached.asked)},
                   {"answered", to_array(reached.answered)},
                   {"missing", std::move(missing)},
                   {"aggregator", reached.aggregator ? json::value(reached.aggregator->str()) : json::value()},
                   {"agreement", reached.agreement},
                   {"agreed", to_array(reached.agreed)},
                   {"dissent", to_array(reached.dissent)},
                   {"winner", reached.winner ? parse(*reached.winner) : json::value()},
                   {"error", reached.why ? json::value(to_object(*reached.why)) : json::value()}};
  return canonical(all);
}

}  // namespace troupe
