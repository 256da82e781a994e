#include "storage/event_data.hpp"

#include "storage/json_object.hpp"
#include "storage/run_change.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

void add_error(json_object& object, const std::optional<error>& why) {
  if (!why) {
    return;
  }
  object.add("code", to_string(why->code)).add("message", why->message);
  if (!why->hint.empty()) {
    object.add("hint", why->hint);
  }
}

std::string names(const std::vector<agent_name>& agents) {
  return json_array(agents, [](const agent_name& agent) { return json_string(agent.str()); });
}

std::string missing_json(const std::vector<missing_agent>& missing) {
  return json_array(missing, [](const missing_agent& one) {
    json_object object;
    object.add("agent", one.agent.str());
    add_error(object, one.why);
    return object.str();
  });
}

// A larger value stands in agent_outputs, for each agent that gave it, and does not stand here once more.
constexpr std::size_t repeated_bytes_max = 1'024;

std::string groups_json(const std::vector<answer_group>& groups) {
  return json_array(groups, [](const answer_group& group) {
    json_object object;
    object.add_raw("agents", names(group.agents));
    if (group.value.str().size() <= repeated_bytes_max) {
      object.add("value", group.value);
    } else {
      object.add("value_bytes", group.value.str().size());
    }
    return object.str();
  });
}

json_object verdict_object(const verdict& reached) {
  json_object object;
  object.add("status", to_string(reached.status))
      .add("quorum", reached.quorum)
      .add_raw("asked", names(reached.asked))
      .add_raw("answered", names(reached.answered))
      .add_raw("missing", missing_json(reached.missing))
      .add("agreement", reached.agreement)
      .add("degraded", reached.degraded)
      .add("emergency", reached.emergency);
  if (reached.aggregator) {
    object.add("aggregator", reached.aggregator->str());
  }
  add_error(object, reached.why);
  return object;
}

}  // namespace

std::string error_data(const std::optional<error>& why) {
  json_object object;
  add_error(object, why);
  return object.str();
}

std::string run_started_data(const create_run& told) {
  json_object object;
  object.add("workflow", told.workflow_name)
      .add("workflow_hash", told.workflow_hash)
      .add("subject", told.subject)
      .add("state_hash", told.state_hash);
  if (told.wall_clock) {
    object.add("deadline", to_rfc3339(told.at + *told.wall_clock));
  }
  if (told.forked_at) {
    object.add("parent", told.parent ? told.parent->str() : "").add("forked_at", told.forked_at->value());
  }
  return object.str();
}

std::string run_ended_data(const run_row& row, const run_end& end, timestamp at) {
  json_object object;
  add_error(object, end.why);
  if (end.failed_step) {
    object.add("step", end.failed_step->str());
  }
  if (end.until) {
    object.add("until", to_rfc3339(*end.until))
        .add("wait_ms", std::chrono::ceil<milliseconds>(*end.until - at).count());
  }
  if (end.state == run_state::paused) {
    object.add("cause", to_string(end.cause));
  }
  if (is_final(end.state)) {
    object.add("degraded", end.degraded)
        .add("state_hash", row.state_hash)
        .add("steps", row.steps)
        .add("supersteps", row.committed.value())
        .add("input_tokens", row.input_tokens)
        .add("output_tokens", row.output_tokens)
        .add("cost_microusd", row.cost_microusd);
  }
  return object.str();
}

std::string run_resumed_data(lease_epoch epoch, run_state from, std::int64_t interrupted) {
  return json_object{}.add("epoch", epoch.value()).add("from", to_string(from)).add("interrupted", interrupted).str();
}

std::string task_queued_data(const planned_task& task) { return json_object{}.add("order", task.order).str(); }

std::string task_started_data(const start_attempt& told) {
  json_object object;
  if (told.pid != 0) {
    object.add("pid", told.pid);
  }
  return object.str();
}

std::string task_completed_data(const task_outcome& outcome,
                                const std::optional<std::pair<std::int64_t, std::int64_t>>& printed) {
  json_object object;
  if (outcome.value) {
    object.add("value_bytes", outcome.value->str().size());
  }
  if (!outcome.found_by.empty()) {
    object.add("found_by", outcome.found_by);
  }
  if (printed) {
    object.add("stdout_bytes", printed->first).add("stderr_bytes", printed->second);
  }
  if (outcome.usage) {
    json_object usage;
    usage.add("model", outcome.usage->model)
        .add("input_tokens", outcome.usage->input_tokens)
        .add("output_tokens", outcome.usage->output_tokens);
    object.add_raw("usage", usage.str());
  }
  return object.str();
}

std::string task_failed_data(const task_outcome& outcome, std::optional<int> exit_code, std::optional<int> signal) {
  json_object object;
  add_error(object, outcome.why);
  if (exit_code) {
    object.add("exit_code", *exit_code);
  }
  if (signal) {
    object.add("signal", *signal);
  }
  return object.str();
}

std::string task_retrying_data(const task_outcome& outcome) {
  json_object object;
  add_error(object, outcome.why);
  if (outcome.retry) {
    object.add("class", to_string(class_of(outcome.why->code)))
        .add("delay_ms", outcome.retry->delay.count())
        .add("due", to_rfc3339(outcome.retry->due));
  } else {
    object.add("class", to_string(error_class::degraded));
  }
  return object.str();
}

std::string consensus_data(const verdict& reached) {
  return verdict_object(reached).add("dissent", reached.dissent.size()).str();
}

std::string verdict_json(const verdict& reached) {
  return verdict_object(reached)
      .add_raw("agreed", groups_json(reached.agreed))
      .add_raw("dissent", groups_json(reached.dissent))
      .str();
}

namespace {

json_object gate_object(const gate_place& place) {
  json_object object;
  object.add("level", place.level);
  if (place.task) {
    object.add("task", place.task->str());
  }
  return object;
}

}  // namespace

std::string gate_opened_data(const gate_opening& asked, const std::optional<timestamp>& expires_at) {
  auto object = gate_object(asked.place);
  object.add("kind", to_string(asked.kind)).add("prompt", asked.prompt).add("votes", asked.votes);
  if (!asked.action_hash.empty()) {
    object.add("action_hash", asked.action_hash);
  }
  if (!asked.voters.empty()) {
    object.add_raw("voters", json_array(asked.voters, json_string));
  }
  if (expires_at) {
    object.add("expires", to_rfc3339(*expires_at)).add("on_expiry", to_string(asked.on_expiry));
    object.add("wait_ms", asked.expires.value_or(milliseconds{0}).count());
  }
  return object.str();
}

std::string gate_decided_data(const gate_place& place,
                              const gate_decision& decision,
                              gate_state state,
                              std::pair<int, int> votes) {
  auto object = gate_object(place);
  object.add("by", decision.by)
      .add("decision", to_string(decision.choice))
      .add("state", to_string(state))
      .add("approvals", votes.first)
      .add("votes", votes.second)
      .add("edited", decision.state_edit.has_value());
  if (!decision.comment.empty()) {
    object.add("comment", decision.comment);
  }
  return object.str();
}

std::string gate_expired_data(const gate_place& place, gate_state state, expiry_policy policy) {
  return gate_object(place).add("state", to_string(state)).add("on_expiry", to_string(policy)).str();
}

std::string cost_recorded_data(const attempt_cost& cost, std::optional<std::int64_t> counted) {
  json_object object;
  object.add("model", cost.model)
      .add("input_tokens", cost.input_tokens)
      .add("output_tokens", cost.output_tokens)
      .add("source", to_string(cost.source));
  if (cost.microusd) {
    object.add("cost_microusd", *cost.microusd);
  } else {
    object.add("code", to_string(error_code::unknown_model));
  }
  if (counted) {
    object.add("counted_microusd", *counted);
  }
  return object.str();
}

std::string budget_warned_data(const budget_warning& told) {
  return json_object{}
      .add("scope", to_string(told.scope))
      .add("key", told.key)
      .add("unit", to_string(told.unit))
      .add("percent", told.percent)
      .add("spent", told.spent)
      .add("reserved", told.reserved)
      .add("ceiling", told.ceiling)
      .str();
}

std::string superstep_committed_data(const commit_superstep& told, const std::vector<std::string>& changed) {
  std::vector<std::string> next;
  for (const auto& task : told.next_front) {
    if (std::ranges::find(next, task.step.str()) == next.end()) {
      next.push_back(task.step.str());
    }
  }
  return json_object{}
      .add("state_hash", told.state_hash)
      .add_raw("changed", json_array(changed, json_string))
      .add_raw("next", json_array(next, json_string))
      .str();
}

}  // namespace troupe
