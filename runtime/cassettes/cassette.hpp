// One answer of an agent as a text that people can read, compare and keep beside their tests. docs/cassettes.md has the
// format.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "messages/agent.hpp"
#include "messages/attempt.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Where in its run an attempt stands. The same in every run of the workflow, whatever the run's name.
struct recorded_place {
  superstep_no superstep;
  step_id step;
  std::int64_t element = -1;  ///< Of a map; -1 outside of one.
  attempt_no attempt;

  friend auto operator<=>(const recorded_place&, const recorded_place&) = default;
};

/// What was asked. No environment, no headers, no command line: nothing that could be a secret, or of one machine.
struct recorded_request {
  std::string hash;  ///< request_hash(): over this, and the command line or endpoint.
  agent_kind kind = agent_kind::command;
  agent_name agent;
  std::string model;
  std::string prompt;
  std::optional<json_text> item;
  recorded_place place;
};

struct cassette {
  recorded_request asked;
  recorded_answer answer;
};

recorded_request request_of(const attempt_order& order);

/// Indented JSON. Bytes that are no UTF-8 stand in base64, texts of several lines as a list of lines.
std::string to_text(const cassette& what);

/// INVALID_INPUT: this is no cassette, or one of another version.
result<cassette> parse_cassette(std::string_view text);

}  // namespace troupe
