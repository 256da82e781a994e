// What a running node lets begin, what waits in it, and which failures it was ordered to have: for programs, and for a
// command that asks another process.
#pragma once

#include "actors/fault_plan.hpp"
#include "messages/base/result.hpp"
#include "messages/limits.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

std::string_view to_string(breaker_state what) noexcept;

/// `{"pid":…,"running":…,"attempts_max":…,"waiting":…,
///   "retries":{"running":…,"max":…,"begun":{"retryable":…,"permanent":0,"degraded":…,"unknown":…}},
///   "providers":[{"provider":…,"running":…,"waiting":…,"concurrency":…,"max_concurrent":…,
///     "requests_per_minute":{"used":…,"limit":…}, and so "input_tokens_per_minute", "output_tokens_per_minute" and
///     "requests_per_day", "breaker":"closed","closed_until":…,"granted":…,"rejected":…,"rate_limited":…}],
///   "waits":{"waiting":…,"next":[{"run":…,"key":…,"due":…}]}}`. A limit that is none is null.
std::string limits_json(const node_limits& limits, std::int64_t pid);

/// `{"pid":…,"faults":[{"name":"agent.429","count":2,"percent":null,"used":1}]}`: of count and percent one is null.
std::string faults_json(std::span<const fault_view> faults, std::int64_t pid);

struct told_limits {
  node_limits limits;
  std::int64_t pid = 0;  ///< Of the node's process.
};

struct told_faults {
  std::vector<fault_view> faults;
  std::int64_t pid = 0;
};

/// What limits_json and faults_json wrote. INTERNAL: they did not.
result<told_limits> read_limits(std::string_view json);
result<told_faults> read_faults(std::string_view json);

}  // namespace troupe
