// What the producers of a writer that gets killed tell, and how they report to the process that kills them. The same for
// both sides: a fact that is told again is the same to the last byte.
#pragma once

#include "tests/storage/facts.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Each producer tells one run after another, each run in five facts.
inline constexpr std::int64_t facts_of_a_run = 5;

/// The kinds of the events after each fact, and the number of the newest: what a receipt says, first or repeated.
inline constexpr std::array<std::string_view, facts_of_a_run + 1> events_after_facts{
    "",
    "run.started,task.queued",
    "run.started,task.queued,task.started",
    "run.started,task.queued,task.started",
    "run.started,task.queued,task.started,task.completed",
    "run.started,task.queued,task.started,task.completed,consensus.reached,superstep.committed,run.completed"};
inline constexpr std::array<std::int64_t, facts_of_a_run + 1> last_after_facts{0, 2, 3, 3, 4, 7};

inline std::string told_run_id(std::int64_t producer, std::int64_t run) {
  return "p" + std::to_string(producer) + "-r" + std::to_string(run);
}

inline std::vector<write_command> told_facts(std::int64_t producer, std::int64_t run) {
  story told{told_run_id(producer, run), run % 1'000};
  const auto task = told.task("survey", "claude");
  const auto bytes = static_cast<std::size_t>((producer * 131 + run * 977) % 3'000);
  std::vector<write_command> facts;
  facts.emplace_back(told.created());
  facts.emplace_back(told.started(task));
  facts.emplace_back(told.printed(task, std::string(bytes, 'x')));
  facts.emplace_back(told.finished(task, std::to_string(run)));
  facts.emplace_back(
      told.committed(1, R"({"findings":["x"]})", {}, {story::alone("survey", "claude", std::to_string(run))}));
  return facts;
}

/// Written to the pipe at once each, so that a kill leaves whole ones.
struct host_report {
  enum class about : std::int32_t {
    taking_lease,
    opening,  ///< It has the lease.
    acknowledged,
    refused,  ///< `last` is the error code.
    closing,
    closed,
  };
  about what = about::taking_lease;
  std::int32_t repeated = 0;
  std::int64_t producer = 0;
  std::int64_t run = 0;
  std::int64_t fact = 0;  ///< From 0.
  std::int64_t last = 0;
};

}  // namespace troupe
