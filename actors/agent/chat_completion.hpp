// The words of an OpenAI-compatible endpoint for chat completions: what is asked, and what an answer says. Pure.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/result.hpp"
#include "messages/run.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// The body of a request: one message of the user. INVALID_INPUT: the prompt is not UTF-8, which JSON cannot carry.
result<std::string> chat_request_body(const agent_spec& spec, std::string_view prompt);

/// What a provider says of a failure, in the fields that have a meaning: `error.code`, `error.type`, `error.message`,
/// or the same without `error` around it.
struct provider_fault {
  std::string code;
  std::string type;
  std::string message;        ///< For people; nothing is concluded from it.
  std::optional<int> status;  ///< Where the code is a number of HTTP, 400 to 599.
};

/// The fault that a body tells; all empty if it is not JSON, or tells none.
provider_fault read_fault(std::string_view body);

struct chat_answer {
  std::string text;           ///< Of the first choice.
  std::string finish_reason;  ///< stop, length, content_filter, ...; empty: none was given.
  std::string refusal;        ///< The model's words, where it refuses.
  std::optional<token_usage> usage;
  bool is_whole = false;                ///< It said that it is at its end.
  std::optional<provider_fault> fault;  ///< Told in place of an answer, or in the middle of one.
};

/// One JSON document. OUTPUT_INVALID: it is none, or not of that form.
result<chat_answer> read_chat_document(std::string_view body);

/// Events, each with a piece. A last event that is cut is passed over: then the answer is not whole.
/// OUTPUT_INVALID: an event that is not JSON, or not of that form; or no event at all.
result<chat_answer> read_chat_stream(std::string_view body);

/// What one event adds to the text; empty where it adds none or cannot be read. For showing the answer as it grows.
std::string chat_piece(std::string_view event_data);

}  // namespace troupe
