#include "actors/fault_plan.hpp"

#include "messages/base/sha256.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace troupe {
namespace {

struct known_fault {
  std::string_view name;
  bool is_of_commits;
  error_code code;
  std::string_view what;
  std::string_view hint;
};

constexpr std::string_view agent_hint = "it did not run; without TROUPE_FAULTS in the environment it would have";
constexpr std::string_view storage_hint = "nothing was written; the sender asks again";
constexpr std::array<known_fault, 11> known{{
    {"agent.timeout", false, error_code::task_timeout, "the attempt ran out of time", agent_hint},
    {"agent.429", false, error_code::rate_limited, "the provider asks to come back later", agent_hint},
    {"agent.503", false, error_code::provider_unavailable, "the provider cannot answer now", agent_hint},
    {"agent.401", false, error_code::auth_required, "the provider does not know the key", agent_hint},
    {"agent.exit", false, error_code::agent_exit, "the agent ended with status 1", agent_hint},
    {"agent.signal", false, error_code::agent_signal, "the agent was ended by SIGKILL", agent_hint},
    {"agent.no_output", false, error_code::agent_no_output, "the agent printed nothing", agent_hint},
    {"agent.spawn", false, error_code::agent_not_found, "the agent could not be started", agent_hint},
    {"storage.busy", true, error_code::storage_busy, "another program holds the database", storage_hint},
    {"storage.full", true, error_code::storage_full, "the disk is full", storage_hint},
    {"storage.io", true, error_code::storage_unavailable, "the disk failed", storage_hint},
}};

constexpr std::int64_t count_max = 1'000'000'000;
constexpr std::string_view form = "write TROUPE_FAULTS=\"agent.timeout:2,agent.exit:10%,seed=7\"; known: ";

std::string names() {
  std::string all;
  for (const auto& each : known) {
    all += (all.empty() ? "" : ", ") + std::string{each.name};
  }
  return all;
}

error refused(std::string what) {
  return {error_code::invalid_input, "TROUPE_FAULTS: " + std::move(what), std::string{form} + names()};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(space) - first + 1);
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = failed == std::errc{} && stop == text.data() + text.size();
  return is_whole ? std::optional{value} : std::nullopt;
}

// From 0 to below 100, spread evenly over all texts.
int hundredth_of(std::uint64_t seed, std::string_view name, std::string_view about) {
  const std::string text = std::to_string(seed) + '\n' + std::string{name} + '\n' + std::string{about};
  std::uint64_t drawn = 0;
  const std::string hex = sha256_hex(text).substr(0, 12);
  std::from_chars(hex.data(), hex.data() + hex.size(), drawn, 16);
  return static_cast<int>(drawn % 100);
}

}  // namespace

result<std::shared_ptr<fault_plan>> fault_plan::parse(std::string_view text) {
  if (trimmed(text).empty()) {
    return std::shared_ptr<fault_plan>{};
  }
  const std::shared_ptr<fault_plan> plan{new fault_plan};
  while (true) {
    const auto end = text.find(',');
    if (auto added = plan->add(trimmed(text.substr(0, end))); !added) {
      return added.error();
    }
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  const bool draws = std::ranges::any_of(plan->entries_, [](const entry& each) { return each.told.percent > 0; });
  if (plan->has_seed_ && !draws) {
    return refused("'seed' has no use: nothing in the plan happens by chance");
  }
  return plan;
}

status fault_plan::add(std::string_view written) {
  constexpr std::string_view seed = "seed=";
  if (written.starts_with(seed)) {
    const auto value = number_in<std::uint64_t>(written.substr(seed.size()));
    if (!value || has_seed_) {
      return refused(has_seed_ ? "'seed' is there twice" : "'" + std::string{written} + "' has no whole number");
    }
    seed_ = *value;
    has_seed_ = true;
    return done;
  }
  const auto colon = written.find(':');
  const auto name = trimmed(written.substr(0, colon));
  const auto* found = std::ranges::find(known, name, &known_fault::name);
  if (found == known.end()) {
    return refused(name.empty() ? "an entry is empty" : "there is no fault '" + std::string{name} + "'");
  }
  if (std::ranges::any_of(entries_, [&](const entry& each) { return each.told.name == name; })) {
    return refused("'" + std::string{name} + "' is there twice");
  }
  entry made{{std::string{name}, 1, 0, 0}, static_cast<std::size_t>(found - known.begin())};
  if (colon != std::string_view::npos) {
    auto amount = trimmed(written.substr(colon + 1));
    const bool is_part = amount.ends_with('%');
    amount.remove_suffix(is_part ? 1 : 0);
    const auto value = number_in<std::int64_t>(trimmed(amount));
    if (!value || *value < 1 || *value > (is_part ? 100 : count_max)) {
      return refused("'" + std::string{written} + "' has no count from 1 on, and no part from 1% to 100%");
    }
    made.told.count = is_part ? 0 : *value;
    made.told.percent = is_part ? static_cast<int>(*value) : 0;
  }
  entries_.push_back(std::move(made));
  return done;
}

std::optional<error> fault_plan::take_for(const task_id& task, attempt_no attempt) {
  const std::scoped_lock lock{guard_};
  return take(place::attempt, task.str() + '#' + std::to_string(attempt.value()));
}

std::optional<error> fault_plan::take_for_commit() {
  const std::scoped_lock lock{guard_};
  return take(place::commit, std::to_string(++commits_));
}

bool fault_plan::is_due(const entry& each, std::string_view about) const {
  return each.told.count > 0 ? each.told.used < each.told.count
                             : hundredth_of(seed_, each.told.name, about) < each.told.percent;
}

std::optional<error> fault_plan::take(place where, std::string_view about) {
  for (auto& each : entries_) {
    const auto& what = known.at(each.what);
    if (what.is_of_commits == (where == place::commit) && is_due(each, about)) {
      ++each.told.used;
      return error{what.code,
                   std::string{what.what} + ": injected by TROUPE_FAULTS (" + to_text(each.told) + ')',
                   std::string{what.hint}};
    }
  }
  return std::nullopt;
}

std::vector<fault_view> fault_plan::view() const {
  const std::scoped_lock lock{guard_};
  std::vector<fault_view> all;
  std::ranges::transform(entries_, std::back_inserter(all), &entry::told);
  return all;
}

std::string to_text(const fault_view& view) {
  return view.count > 0
             ? view.name + ": " + std::to_string(view.used) + " of " + std::to_string(view.count)
             : view.name + ": " + std::to_string(view.percent) + " %, " + std::to_string(view.used) + " so far";
}

}  // namespace troupe
