// `[step.consensus]`.
#include "config/workflow_parser.hpp"
#include "config/workflow_words.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr int members_max = 1'000;
constexpr int retries_max = 10;

std::optional<int> read_count(const std::optional<toml_value_ref>& value, integer_range range) {
  const auto number = value ? read_integer(*value, range) : std::nullopt;
  return number ? std::optional{static_cast<int>(*number)} : std::nullopt;
}

std::vector<std::string> read_pointers(const toml_value_ref& value) {
  std::vector<std::string> pointers;
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr) {
    value.refuse("must be a list of JSON pointers; this is " + std::string{kind_name(value.node)});
    return pointers;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml_value_ref item{(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink};
    if (auto pointer = read_pointer(item)) {
      pointers.push_back(std::move(*pointer));
    }
  }
  return pointers;
}

std::string pointer_or_empty(const std::optional<toml_value_ref>& value) {
  return value ? read_pointer(*value).value_or("") : "";
}

void parse_vote(toml_reader& reader, consensus_policy& policy) {
  policy.vote_on = pointer_or_empty(reader.take("vote_on"));
  policy.vote_each = pointer_or_empty(reader.take("vote_each"));
  if (const auto by = reader.take("vote_by")) {
    policy.vote_by = read_pointers(*by);
  }
}

void parse_aggregate(toml_reader& reader, consensus_policy& policy, workflow_parts& parts) {
  if (const auto aggregator = reader.take("aggregator")) {
    policy.aggregator = agent_name{read_name(*aggregator, "the name of an agent").value_or("")};
  }
  if (const auto prompt = reader.take("prompt")) {
    note_text(*prompt, parts);
    policy.aggregate_prompt = read_text(*prompt).value_or("");
  }
  const auto required = reader.take("required");
  if (required) {
    policy.required = read_pointers(*required);
  } else if (policy.strategy == consensus_strategy::aggregate) {
    policy.required = {required_words.begin(), required_words.end()};
  }
}

}  // namespace

void note_text(const toml_value_ref& value, workflow_parts& parts) {
  parts.positions.set_text(
      value.path, parts.sink.position(value.node.begin), raw_text(parts.source, value.node.begin, value.node.end));
}

std::optional<consensus_policy> parse_consensus(const toml_value_ref& value, workflow_parts& parts) {
  const auto* table = read_table(value);
  if (table == nullptr) {
    return std::nullopt;
  }
  consensus_policy policy;
  toml_reader reader{*table, value.node.begin, value.path, parts.sink, parts.positions};
  if (const auto strategy = reader.take("strategy")) {
    policy.strategy = read_enum<consensus_strategy>(*strategy, strategy_words).value_or(consensus_strategy::collect);
  }
  policy.quorum = read_count(reader.take("quorum"), {.min = 1, .max = members_max});
  policy.min_answers = read_count(reader.take("min_answers"), {.min = 1, .max = members_max});
  policy.retry_degraded =
      read_count(reader.take("retry_degraded"), {.min = 0, .max = retries_max}).value_or(policy.retry_degraded);
  parse_vote(reader, policy);
  parse_aggregate(reader, policy, parts);
  if (const auto soft = reader.take("soft_deadline")) {
    policy.soft_after = read_duration(*soft, {.min = milliseconds{1}});
  }
  if (const auto hard = reader.take("hard_deadline")) {
    policy.hard_after = read_duration(*hard, {.min = milliseconds{1}});
  }
  reader.finish();
  return policy;
}

}  // namespace troupe
