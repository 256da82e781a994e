#include "storage/legacy_grouping.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

using entries_t = std::vector<legacy_entry>;
using indexes = std::vector<std::size_t>;

// What a consensus is made of, before its members are matched with each other.
struct round_of_rows {
  indexes rows;  ///< Artefacts and executions, by time.
  std::optional<std::size_t> synthesis;
  timestamp last;  ///< Of its rows.
};

// By time; of one moment artefacts first and syntheses last; then by key, numbers by their size.
bool comes_before(const legacy_entry& a, const legacy_entry& b) {
  const auto a_length = a.key.size();
  const auto b_length = b.key.size();
  return std::tie(a.at, a.table, a_length, a.key) < std::tie(b.at, b.table, b_length, b.key);
}

bool says(const legacy_entry& artefact, const legacy_digest& text) {
  return artefact.content == text || artefact.response == text;
}

class grouper {
 public:
  explicit grouper(const entries_t& entries) : entries_(entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      runs_.push_back(entries[i].run);
    }
  }

  legacy_groups group() {
    adopt_runs();
    indexes all(entries_.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    std::ranges::sort(all, [&](std::size_t a, std::size_t b) { return comes_before(entries_[a], entries_[b]); });
    std::map<std::pair<std::string, std::string>, indexes> timelines;
    for (const auto i : all) {
      timelines[{entries_[i].spec_id, entries_[i].stage}].push_back(i);
    }
    for (const auto& [where, timeline] : timelines) {
      group_timeline(timeline);
    }
    std::ranges::stable_sort(out_.groups, [&](const legacy_group& a, const legacy_group& b) {
      return std::pair{a.at, first_of(a)} < std::pair{b.at, first_of(b)};
    });
    return std::move(out_);
  }

 private:
  // What tells groups of one moment apart, in whatever order the rows were read.
  std::tuple<std::string, std::string, legacy_table, std::string> first_of(const legacy_group& group) const {
    const auto& first = entries_[group.members.front().entry];
    return {first.spec_id, first.stage, first.table, first.key};
  }

  void adopt_runs() {
    using place = std::tuple<std::string, std::string, std::string, legacy_digest>;
    std::map<place, indexes> executions;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& entry = entries_[i];
      if (entry.table == legacy_table::executions && !entry.run.empty() && entry.response) {
        executions[{entry.spec_id, entry.stage, entry.agent, *entry.response}].push_back(i);
      }
    }
    for (auto& [where, same] : executions) {
      std::ranges::sort(same, [&](std::size_t a, std::size_t b) { return comes_before(entries_[a], entries_[b]); });
    }
    indexes homeless;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].table == legacy_table::artefacts && entries_[i].run.empty()) {
        homeless.push_back(i);
      }
    }
    std::ranges::sort(homeless, [&](std::size_t a, std::size_t b) { return comes_before(entries_[a], entries_[b]); });
    for (const auto i : homeless) {
      const auto& entry = entries_[i];
      for (const auto& text : {entry.response, entry.content}) {
        const auto found = text ? executions.find({entry.spec_id, entry.stage, entry.agent, *text}) : executions.end();
        if (found != executions.end() && !found->second.empty()) {
          runs_[i] = entries_[found->second.front()].run;
          found->second.erase(found->second.begin());
          break;
        }
      }
    }
  }

  // `timeline`: all rows of one spec and stage, in order.
  void group_timeline(const indexes& timeline) {
    std::map<std::string, round_of_rows> by_run;
    for (const auto i : timeline) {
      if (!runs_[i].empty() && entries_[i].table != legacy_table::syntheses) {
        add(by_run[runs_[i]], i);
      }
    }
    indexes without_run;
    std::vector<round_of_rows> alone;
    for (const auto i : timeline) {
      const auto its_run = by_run.find(runs_[i]);
      const bool is_synthesis = entries_[i].table == legacy_table::syntheses;
      if (its_run == by_run.end()) {
        without_run.push_back(i);
      } else if (is_synthesis && !its_run->second.synthesis) {
        its_run->second.synthesis = i;
      } else if (is_synthesis) {
        alone.push_back({{}, i, entries_[i].at});
      }
    }
    std::vector<round_of_rows> rounds;
    std::ranges::transform(by_run, std::back_inserter(rounds), [](auto& each) { return std::move(each.second); });
    walk(without_run, rounds);
    std::ranges::move(alone, std::back_inserter(rounds));
    for (const auto& round : rounds) {
      finish(round);
    }
  }

  void add(round_of_rows& round, std::size_t row) {
    round.rows.push_back(row);
    round.last = std::max(round.last, entries_[row].at);
  }

  bool has_row_of(const round_of_rows& round, const legacy_entry& entry) const {
    return std::ranges::any_of(round.rows, [&](std::size_t i) {
      return entries_[i].table == entry.table && entries_[i].agent == entry.agent;
    });
  }

  // Rules 3 and 4. `rounds` begins with those that have a run_id.
  void walk(const indexes& rows, std::vector<round_of_rows>& rounds) {
    std::multimap<timestamp, std::size_t> wait_for_synthesis;  // rounds, by the time of their last row
    for (std::size_t r = 0; r < rounds.size(); ++r) {
      if (!rounds[r].synthesis) {
        wait_for_synthesis.emplace(rounds[r].last, r);
      }
    }
    std::optional<std::size_t> open;
    for (const auto i : rows) {
      const auto& entry = entries_[i];
      if (entry.table == legacy_table::syntheses) {
        settle(i, rounds, wait_for_synthesis);
        continue;
      }
      const bool fits = open && !rounds[*open].synthesis && entry.at - rounds[*open].last <= legacy_round_gap &&
                        !has_row_of(rounds[*open], entry);
      if (fits) {
        const auto same = wait_for_synthesis.equal_range(rounds[*open].last);
        wait_for_synthesis.erase(
            std::find_if(same.first, same.second, [&](const auto& each) { return each.second == *open; }));
      } else {
        open = rounds.size();
        rounds.emplace_back();
      }
      add(rounds[*open], i);
      wait_for_synthesis.emplace(rounds[*open].last, *open);
    }
  }

  // Of several that ended at the same moment the newest.
  void settle(std::size_t synthesis,
              std::vector<round_of_rows>& rounds,
              std::multimap<timestamp, std::size_t>& wait_for_synthesis) const {
    const auto at = entries_[synthesis].at;
    const auto after = wait_for_synthesis.upper_bound(at);
    if (after != wait_for_synthesis.begin() && at - std::prev(after)->first <= legacy_round_gap) {
      rounds[std::prev(after)->second].synthesis = synthesis;
      wait_for_synthesis.erase(std::prev(after));
    } else {
      rounds.push_back({{}, synthesis, at});
    }
  }

  // Rule 5, and what becomes of executions that gave nothing.
  void finish(const round_of_rows& round) {
    legacy_group group;
    for (const auto i : round.rows) {
      if (entries_[i].table == legacy_table::artefacts) {
        group.members.push_back({i, legacy_member::role::output, 0});
      }
    }
    const std::size_t artefacts = group.members.size();
    std::set<std::size_t> taken;
    std::vector<std::optional<std::size_t>> partner(round.rows.size());
    for (std::size_t n = 0; n < round.rows.size(); ++n) {
      partner[n] = same_text(round.rows[n], group, artefacts, taken);
    }
    bool has_content = artefacts > 0 || round.synthesis;
    for (std::size_t n = 0; n < round.rows.size(); ++n) {
      const auto& entry = entries_[round.rows[n]];
      if (entry.table == legacy_table::artefacts) {
        continue;
      }
      const auto artefact = partner[n] ? partner[n] : left_over(entry, group, artefacts, taken);
      if (artefact) {
        group.members.push_back({round.rows[n], legacy_member::role::beside_output, *artefact});
      } else {
        const bool speaks = entry.content.has_value();
        has_content = has_content || speaks;
        group.members.push_back(
            {round.rows[n], speaks ? legacy_member::role::output : legacy_member::role::beside_consensus, 0});
      }
    }
    if (!has_content) {
      out_.without_content.insert(out_.without_content.end(), round.rows.begin(), round.rows.end());
      return;
    }
    if (round.synthesis) {
      group.members.push_back({*round.synthesis, legacy_member::role::synthesis, 0});
    }
    group.at = entries_[group.members.front().entry].at;
    for (const auto& member : group.members) {
      group.at = std::min(group.at, entries_[member.entry].at);
    }
    out_.groups.push_back(std::move(group));
  }

  std::optional<std::size_t> same_text(std::size_t row,
                                       const legacy_group& group,
                                       std::size_t artefacts,
                                       std::set<std::size_t>& taken) const {
    const auto& entry = entries_[row];
    if (entry.table != legacy_table::executions || !entry.response) {
      return std::nullopt;
    }
    for (std::size_t m = 0; m < artefacts; ++m) {
      const auto& artefact = entries_[group.members[m].entry];
      if (artefact.agent == entry.agent && says(artefact, *entry.response) && taken.insert(m).second) {
        return m;
      }
    }
    return std::nullopt;
  }

  std::optional<std::size_t> left_over(const legacy_entry& entry,
                                       const legacy_group& group,
                                       std::size_t artefacts,
                                       std::set<std::size_t>& taken) const {
    for (std::size_t m = 0; m < artefacts; ++m) {
      const auto& artefact = entries_[group.members[m].entry];
      const bool one_is_silent = !entry.response || !artefact.response;
      if (artefact.agent == entry.agent && one_is_silent && taken.insert(m).second) {
        return m;
      }
    }
    return std::nullopt;
  }

  const entries_t& entries_;
  std::vector<std::string> runs_;  ///< Of each entry, with those that were adopted.
  legacy_groups out_;
};

}  // namespace

legacy_groups group_legacy(const std::vector<legacy_entry>& entries) { return grouper{entries}.group(); }

}  // namespace troupe
