// How several answers become one: what a policy may not ask for.
#include "config/toml_text.hpp"
#include "config/workflow_checks.hpp"
#include "messages/consensus.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string quoted(std::string_view name) { return '\'' + std::string{name} + '\''; }

std::string agents_text(int count) { return std::to_string(count) + (count == 1 ? " agent" : " agents"); }

class consensus_checker {
 public:
  consensus_checker(const workflow& flow, std::size_t index, workflow_complaints& out)
      : flow_(flow), step_(flow.steps[index]), policy_(*step_.consensus), index_(index), out_(out) {}

  void check() {
    check_counts();
    check_vote();
    check_aggregate();
    check_deadlines();
  }

 private:
  int count() const { return static_cast<int>(step_.agents.size()); }
  std::string path(std::string_view key) const { return step_path(index_, "consensus." + std::string{key}); }
  bool is(consensus_strategy strategy) const { return policy_.strategy == strategy; }
  int quorum() const { return quorum_of(policy_, count()); }

  void no_use(std::string_view key, const std::string& why, const std::string& hint = "take it out") {
    out_.error(path(key), quoted(key) + " has no use " + why, hint);
  }

  void check_counts() {
    const bool is_race = is(consensus_strategy::race);
    if (is_race && policy_.quorum.value_or(1) > 1) {
      out_.error(path("quorum"),
                 "'quorum' of a race is 1: the first answer wins; this is " + std::to_string(*policy_.quorum),
                 "take it out");
    } else {
      check_most("quorum", policy_.quorum);
    }
    if (is_race && out_.knows(path("retry_degraded"))) {
      no_use("retry_degraded", "in a race: nobody is waited for after the first answer");
    }
    if (is_race && policy_.min_answers) {
      no_use("min_answers", "in a race: one answer is enough");
    } else if (check_most("min_answers", policy_.min_answers) && policy_.min_answers >= quorum()) {
      no_use("min_answers", "unless it is less than the quorum, which is " + std::to_string(quorum()));
    }
  }

  // Whether it is there and in its range. Without agents the step has another complaint.
  bool check_most(std::string_view key, const std::optional<int>& number) {
    if (!number || count() == 0) {
      return false;
    }
    if (*number >= 1 && *number <= count()) {
      return true;
    }
    const std::string range = count() == 1 ? "must be 1" : "must be from 1 to " + std::to_string(count());
    out_.error(
        path(key),
        quoted(key) + ' ' + range + ": the step has " + agents_text(count()) + "; this is " + std::to_string(*number));
    return false;
  }

  void check_vote() {
    const bool is_vote = is(consensus_strategy::vote);
    check_key("vote_on", !policy_.vote_on.empty(), is_vote, "vote");
    check_key("vote_each", !policy_.vote_each.empty(), is_vote, "vote");
    if (is_vote && !policy_.vote_on.empty() && !policy_.vote_each.empty()) {
      out_.error(path("vote_each"),
                 "'vote_each' and 'vote_on' are both there: answers are voted on whole or element by element",
                 "take one of them out");
    }
    if (!policy_.vote_by.empty() && policy_.vote_each.empty()) {
      no_use("vote_by", "without 'vote_each'", "name the list whose elements are compared: vote_each = \"/findings\"");
    }
  }

  void check_key(std::string_view key, bool is_given, bool has_use, const std::string& strategy) {
    if (is_given && !has_use) {
      const std::string wanted = "strategy = \"" + strategy + '"';
      no_use(key, "without " + wanted, "set " + wanted + ", or take it out");
    }
  }

  void check_aggregate() {
    const bool is_aggregate = is(consensus_strategy::aggregate);
    check_key("aggregator", !policy_.aggregator.empty(), is_aggregate, "aggregate");
    check_key("prompt", !policy_.aggregate_prompt.empty(), is_aggregate, "aggregate");
    check_key("required", !policy_.required.empty(), is_aggregate, "aggregate");
    if (!is_aggregate) {
      return;
    }
    if (policy_.aggregator.empty()) {
      out_.error(path("aggregator"),
                 "'aggregator' is missing: the agent that brings the others' answers together",
                 "add aggregator = \"claude\"; it is not one of the step's agents");
    } else if (std::ranges::find(step_.agents, policy_.aggregator) != step_.agents.end()) {
      out_.error(path("aggregator"),
                 "agent " + quoted(policy_.aggregator.str()) +
                     " gives an answer of this step itself; the aggregator is another one",
                 "take it out of 'agents', or name another aggregator");
    }
  }

  void check_deadlines() {
    const auto& soft = policy_.soft_after;
    const auto& hard = policy_.hard_after;
    if (soft && hard && *soft >= *hard) {
      out_.error(path("soft_deadline"),
                 "'soft_deadline' (" + to_text(*soft) + ") must be less than 'hard_deadline' (" + to_text(*hard) + ')');
    }
    if (soft && count() > 0 && quorum() == count()) {
      out_.warning(path("soft_deadline"),
                   "'soft_deadline' has no use: the quorum is all " + agents_text(count()) + ", so all are waited for",
                   "lower 'quorum', or set 'hard_deadline'");
    } else if (soft && is(consensus_strategy::race)) {
      out_.warning(path("soft_deadline"),
                   "'soft_deadline' has no use in a race: the first answer ends it",
                   "take it out, or set 'hard_deadline'");
    }
    if (hard && step_.timeout && *step_.timeout >= *hard) {
      out_.warning(step_path(index_, "timeout"),
                   "'timeout' (" + to_text(*step_.timeout) + ") never passes: 'hard_deadline' (" + to_text(*hard) +
                       ") comes first",
                   "shorten it, or take it out");
    }
    if (hard && flow_.limits.wall_clock && *hard > *flow_.limits.wall_clock) {
      out_.warning(path("hard_deadline"),
                   "'hard_deadline' (" + to_text(*hard) + ") is longer than limits.wall_clock (" +
                       to_text(*flow_.limits.wall_clock) + "), which ends the whole run",
                   "shorten it, or give the run more time");
    }
  }

  const workflow& flow_;
  const step& step_;
  const consensus_policy& policy_;
  std::size_t index_;
  workflow_complaints& out_;
};

}  // namespace

void check_consensus(const workflow& flow, workflow_complaints& out) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    if (flow.steps[i].consensus) {
      consensus_checker{flow, i, out}.check();
    }
  }
}

}  // namespace troupe
