#include "messages/run.hpp"

#include "messages/base/enum_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<run_state, std::string_view>, 6> run_names{{
    {run_state::pending, "pending"},
    {run_state::running, "running"},
    {run_state::paused, "paused"},
    {run_state::completed, "completed"},
    {run_state::failed, "failed"},
    {run_state::cancelled, "cancelled"},
}};

constexpr std::array<std::pair<task_state, std::string_view>, 9> task_names{{
    {task_state::pending, "pending"},
    {task_state::queued, "queued"},
    {task_state::running, "running"},
    {task_state::validating, "validating"},
    {task_state::completed, "completed"},
    {task_state::failed, "failed"},
    {task_state::retrying, "retrying"},
    {task_state::cancelled, "cancelled"},
    {task_state::interrupted, "interrupted"},
}};

constexpr std::array<std::string_view, 3> cause_names{"operator", "approval", "quota"};

template <class Names, class State>
std::string_view name_of(const Names& names, State state) {
  const auto* found = std::ranges::find(names, state, &Names::value_type::first);
  return found == names.end() ? std::string_view{"unknown"} : found->second;
}

template <class Names>
auto state_of(const Names& names, std::string_view name) -> std::optional<typename Names::value_type::first_type> {
  const auto* found = std::ranges::find(names, name, &Names::value_type::second);
  if (found == names.end()) {
    return std::nullopt;
  }
  return found->first;
}

}  // namespace

std::string_view to_string(pause_cause cause) noexcept { return name_in(cause_names, cause); }

std::string_view to_string(run_state state) noexcept { return name_of(run_names, state); }

std::string_view to_string(task_state state) noexcept { return name_of(task_names, state); }

std::optional<run_state> run_state_from(std::string_view name) noexcept { return state_of(run_names, name); }

std::optional<task_state> task_state_from(std::string_view name) noexcept { return state_of(task_names, name); }

bool is_legal_move(run_state from, run_state to) noexcept {
  switch (from) {
    case run_state::pending:
      return to == run_state::running || to == run_state::cancelled;
    case run_state::running:
      return to == run_state::paused || is_final(to);
    case run_state::paused:
      return to == run_state::running || to == run_state::failed || to == run_state::cancelled;
    case run_state::completed:
    case run_state::failed:
    case run_state::cancelled:
      return false;
  }
  return false;
}

bool is_legal_move(task_state from, task_state to) noexcept {
  if (is_final(from)) {
    return from == task_state::failed && to == task_state::retrying;
  }
  if (to == task_state::cancelled) {
    return true;
  }
  switch (from) {
    case task_state::pending:
    case task_state::retrying:
    case task_state::interrupted:
      return to == task_state::queued;
    case task_state::queued:
      return to == task_state::running || to == task_state::failed;  // failed: it never started
    case task_state::running:
      return to == task_state::validating || to == task_state::completed || to == task_state::failed ||
             to == task_state::interrupted;
    case task_state::validating:
      return to == task_state::completed || to == task_state::failed || to == task_state::interrupted;
    case task_state::completed:
    case task_state::failed:
    case task_state::cancelled:
      return false;
  }
  return false;
}

}  // namespace troupe
