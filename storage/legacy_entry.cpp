#include "storage/legacy_entry.hpp"

#include "messages/base/sha256.hpp"
#include "storage/legacy_time.hpp"

#include <algorithm>
#include <initializer_list>

namespace troupe {
namespace {

std::optional<timestamp> first_time(const legacy_row& row, std::initializer_list<std::string_view> columns) {
  for (const auto name : columns) {
    if (const legacy_value* const value = find_column(row, name)) {
      if (const auto at = parse_legacy_time(*value)) {
        return at;
      }
    }
  }
  return std::nullopt;
}

std::optional<timestamp> time_of(const legacy_row& row) {
  return row.table == legacy_table::executions ? first_time(row, {"completed_at", "spawned_at"})
                                               : first_time(row, {"created_at"});
}

std::optional<legacy_digest> digest_of_column(const legacy_row& row, std::string_view name) {
  const auto text = text_column(row, name);
  return text ? std::optional{sha256(*text)} : std::nullopt;
}

std::string lower_word(std::string text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const auto last = text.find_last_not_of(" \t\r\n");
  text = first == std::string::npos ? std::string{} : text.substr(first, last - first + 1);
  std::ranges::transform(
      text, text.begin(), [](char each) { return each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each; });
  return text;
}

std::string word_in(const legacy_row& row, std::string_view name) {
  return lower_word(text_column(row, name).value_or(""));
}

}  // namespace

std::string_view to_string(legacy_skip why) noexcept {
  switch (why) {
    case legacy_skip::duplicate_id:
      return "duplicate_id";
    case legacy_skip::no_spec_id:
      return "no_spec_id";
    case legacy_skip::no_stage:
      return "no_stage";
    case legacy_skip::no_agent:
      return "no_agent";
    case legacy_skip::no_time:
      return "no_time";
    case legacy_skip::no_content:
      return "no_content";
  }
  return "unknown";
}

std::optional<std::string_view> content_column(const legacy_row& row) {
  if (row.table == legacy_table::artefacts && text_column(row, "content_json")) {
    return "content_json";
  }
  return text_column(row, "response_text") ? std::optional<std::string_view>{"response_text"} : std::nullopt;
}

std::variant<legacy_entry, legacy_skip> read_legacy_entry(const legacy_row& row) {
  auto spec = text_column(row, "spec_id");
  if (!spec) {
    return legacy_skip::no_spec_id;
  }
  auto stage = text_column(row, "stage");
  if (!stage) {
    return legacy_skip::no_stage;
  }
  legacy_entry entry;
  if (row.table != legacy_table::syntheses) {
    auto agent = text_column(row, "agent_name");
    if (!agent) {
      return legacy_skip::no_agent;
    }
    entry.agent = *std::move(agent);
  }
  const auto at = time_of(row);
  if (!at) {
    return legacy_skip::no_time;
  }
  const auto content = content_column(row);
  if (row.table == legacy_table::artefacts && !content) {
    return legacy_skip::no_content;
  }
  entry.table = row.table;
  entry.rowid = row.rowid;
  entry.key = key_of(row);
  entry.digest = digest_of(row);
  entry.spec_id = *std::move(spec);
  entry.stage = *std::move(stage);
  entry.run = text_column(row, "run_id").value_or("");
  entry.at = *at;
  if (row.table != legacy_table::syntheses) {
    entry.content = content ? digest_of_column(row, *content) : std::nullopt;
    entry.response = digest_of_column(row, "response_text");
  }
  return entry;
}

legacy_verdict verdict_of(const legacy_row& synthesis) {
  const auto status = word_in(synthesis, "status");
  const auto degraded = word_in(synthesis, "degraded");
  const bool is_degraded =
      status == "degraded" || degraded == "1" || degraded == "true" || degraded == "yes" || degraded == "t";
  return {
      status == "ok" || status == "degraded" ? legacy_verdict::outcome::reached : legacy_verdict::outcome::not_reached,
      is_degraded ? legacy_verdict::attendance::degraded : legacy_verdict::attendance::complete};
}

}  // namespace troupe
