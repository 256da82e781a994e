#include "runtime/json/run_json.hpp"

#include "runtime/json/error_json.hpp"
#include "runtime/json/gate_json.hpp"
#include "runtime/json/json_writer.hpp"

namespace troupe {
namespace {

std::string usage_json(const run_view& run) {
  object_writer object;
  object.number("input_tokens", run.input_tokens).number("output_tokens", run.output_tokens);
  object.real("cost_usd", usd_of(run.cost_microusd));
  object.number("unpriced", run.unpriced);  // what they cost is not in cost_usd
  return object.str();
}

template <class Id>
std::string_view text_of(const std::optional<Id>& id) {
  return id ? std::string_view{id->str()} : std::string_view{};
}

object_writer run_members(const run_view& run, bool with_result) {
  object_writer object;
  object.text("run", run.run.str()).text("workflow", run.workflow).text("subject", run.subject);
  if (run.parent && run.parent_task) {
    object.text("parent", run.parent->str()).text("parent_task", run.parent_task->str());
  }
  object.text("state", to_string(run.state)).boolean("degraded", run.degraded);
  if (run.abandoned) {
    object.boolean("abandoned", true);
  }
  object.number("steps", run.steps).number("supersteps", run.supersteps);
  if (run.forked_at) {
    object.text_or_null("parent", text_of(run.parent)).number("forked_at", run.forked_at->value());
  }
  if (with_result) {
    object.raw("result", run.result);
  }
  object.text_or_null("state_hash", run.state_hash).raw("usage", usage_json(run));
  object.time("started_at", run.started_at).time("finished_at", run.finished_at);
  if (run.why) {
    object.raw("error", error_json(*run.why, {.run = run.run, .step = run.failed_step}));
  } else {
    object.null("error");
  }
  return object;
}

template <class T>
std::optional<std::int64_t> as_number(const std::optional<T>& value) {
  return value ? std::optional<std::int64_t>{*value} : std::nullopt;
}

template <class Id>
std::optional<std::int64_t> number_of(const std::optional<Id>& id) {
  return id ? std::optional<std::int64_t>{id->value()} : std::nullopt;
}

}  // namespace

double usd_of(std::int64_t microusd) noexcept {
  constexpr double microusd_per_usd = 1e6;
  return static_cast<double>(microusd) / microusd_per_usd;
}

std::string cost_json(const cost_sum& sum) {
  object_writer object;
  object.text("key", sum.key).number("attempts", sum.attempts).number("input_tokens", sum.input_tokens);
  object.number("output_tokens", sum.output_tokens).real("cost_usd", usd_of(sum.microusd));
  object.number("estimated", sum.estimated).number("unpriced", sum.unpriced).number("unmetered", sum.unmetered);
  return object.number("time_ms", std::chrono::floor<milliseconds>(sum.time).count()).str();
}

std::string run_json(const run_view& run) { return run_members(run, true).str(); }

std::string run_json(const run_view& run, std::span<const gate_view> open) {
  return run_members(run, true).raw("gates", gates_json(open)).str();
}

std::string run_json(const run_view& run,
                     std::span<const task_view> tasks,
                     std::span<const verdict_view> verdicts,
                     std::span<const gate_view> gates,
                     std::span<const run_view> children) {
  list_writer task_list;
  for (const task_view& task : tasks) {
    task_list.raw(task_json(task));
  }
  list_writer verdict_list;
  for (const verdict_view& verdict : verdicts) {
    verdict_list.raw(verdict_json(verdict));
  }
  auto object = run_members(run, true);
  object.raw("tasks", task_list.str()).raw("verdicts", verdict_list.str()).raw("gates", gates_json(gates));
  if (!children.empty()) {
    list_writer child_list;
    for (const run_view& child : children) {
      child_list.raw(run_summary_json(child));
    }
    object.raw("children", child_list.str());
  }
  return object.str();
}

std::string run_summary_json(const run_view& run) { return run_members(run, false).str(); }

std::string task_json(const task_view& task) {
  object_writer object;
  object.text("task", task.task.str()).number("superstep", task.superstep.value());
  object.text("step", task.step.str()).text("agent", task.agent.str());
  object.number("attempt", task.attempt.value()).text("state", to_string(task.state));
  object.number_or_null("exit_code", as_number(task.exit_code)).number_or_null("signal", as_number(task.signal));
  object.time("started_at", task.started_at).time("finished_at", task.finished_at);
  object.number("stdout_bytes", task.standard_output_bytes).number("stderr_bytes", task.standard_error_bytes);
  if (task.why) {
    object.raw("error", error_json(*task.why, {.run = task.run, .step = task.step}));
  } else {
    object.null("error");
  }
  return object.str();
}

std::string verdict_json(const verdict_view& verdict) {
  return object_writer{}
      .number("superstep", verdict.superstep.value())
      .text("step", verdict.step.str())
      .raw("verdict", verdict.verdict)
      .str();
}

std::string event_json(const event& what) {
  return object_writer{}
      .number("seq", what.seq.value())
      .text("run", what.run.str())
      .time("time", what.time)
      .text("kind", to_string(what.kind))
      .text_or_null("step", text_of(what.step))
      .number_or_null("superstep", number_of(what.superstep))
      .text_or_null("task", text_of(what.task))
      .number_or_null("attempt", number_of(what.attempt))
      .text_or_null("agent", text_of(what.agent))
      .raw("data", what.data)
      .str();
}

}  // namespace troupe
