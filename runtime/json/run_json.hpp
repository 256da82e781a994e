// Runs, tasks and events for programs: the shapes of the contract, sections 5 and 7.
#pragma once

#include "messages/event.hpp"
#include "messages/views.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace troupe {

/// What `troupe run --json` ends with. `abandoned` is there only where it is true, `parent` and `parent_task` only of a
/// child run, and `usage.unpriced`: attempts whose cost is unknown.
std::string run_json(const run_view& run);

/// The same of a run that waits for people, with `gates` added: those that are open.
std::string run_json(const run_view& run, std::span<const gate_view> open);

/// The same with `tasks`, `verdicts` and `gates` added, and `children` where there are some, without their results:
/// `troupe show --json`.
std::string run_json(const run_view& run,
                     std::span<const task_view> tasks,
                     std::span<const verdict_view> verdicts,
                     std::span<const gate_view> gates = {},
                     std::span<const run_view> children = {});

/// One element of the list that `troupe runs --json` prints: the same without `result`, which may have megabytes.
std::string run_summary_json(const run_view& run);

/// The columns of task_overview, and how much the attempt printed.
std::string task_json(const task_view& task);

/// As a decimal number: the nearest to the amount, which reading it back gives exactly.
double usd_of(std::int64_t microusd) noexcept;

/// `{"key":…,"attempts":…,"input_tokens":…,"output_tokens":…,"cost_usd":…,"estimated":…,"unpriced":…,"unmetered":…,"time_ms":…}`.
std::string cost_json(const cost_sum& sum);

/// `{"superstep":…,"step":…,"verdict":{…}}`: who was asked, who answered, who is missing and why, and the dissent.
std::string verdict_json(const verdict_view& verdict);

/// `{"seq":…,"run":…,"time":…,"kind":…,"step":…,"superstep":…,"task":…,"attempt":…,"agent":…,"data":{…}}`.
std::string event_json(const event& what);

}  // namespace troupe
