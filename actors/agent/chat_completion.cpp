#include "actors/agent/chat_completion.hpp"

#include "actors/agent/event_stream.hpp"
#include "actors/json/json.hpp"
#include "messages/base/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace troupe {
namespace {

namespace json = boost::json;

const json::value* member(const json::value& of, std::string_view name) {
  const auto* object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_of(const json::value* value) {
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

std::optional<std::int64_t> count_of(const json::value* value) {
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr || *number < 0 ? std::nullopt : std::optional{*number};
}

// A text, or a list of parts of which those of type text count.
std::string content_of(const json::value* value) {
  const auto* parts = value == nullptr ? nullptr : value->if_array();
  if (parts == nullptr) {
    return text_of(value);
  }
  std::string all;
  for (const auto& part : *parts) {
    if (text_of(member(part, "type")) == "text") {
      all += text_of(member(part, "text"));
    }
  }
  return all;
}

provider_fault fault_of(const json::value& told) {
  provider_fault fault;
  fault.message = told.is_string() ? text_of(&told) : text_of(member(told, "message"));
  fault.type = text_of(member(told, "type"));
  const auto* code = member(told, "code");
  fault.code = text_of(code);
  constexpr std::int64_t first = 400;
  constexpr std::int64_t last = 599;
  if (const auto number = count_of(code); number && *number >= first && *number <= last) {
    fault.status = static_cast<int>(*number);
  }
  return fault;
}

bool tells_fault(const json::value& document) {
  const auto* told = member(document, "error");
  return told != nullptr && !told->is_null();
}

error not_an_answer(const std::string& why) {
  return {error_code::output_invalid,
          "the answer is not a chat completion: " + why,
          "check the agent's endpoint; the raw answer is kept: troupe output RUN STEP"};
}

// Takes documents, or pieces of one: both have the same form but for the name of the message.
class answer_reader {
 public:
  explicit answer_reader(std::string_view message_name) : message_name_(message_name) {}

  // Where it is not of the form: why.
  std::optional<std::string> take(const json::value& document) {
    if (!document.is_object()) {
      return "it is no object";
    }
    if (tells_fault(document)) {
      answer_.fault = fault_of(*member(document, "error"));
      return std::nullopt;
    }
    if (auto model = text_of(member(document, "model")); !model.empty()) {
      model_ = std::move(model);
    }
    take_usage(member(document, "usage"));
    const auto* choices = member(document, "choices");
    if (choices == nullptr) {
      return "it has no 'choices'";
    }
    if (!choices->is_array()) {
      return "its 'choices' are no list";
    }
    for (const auto& choice : choices->get_array()) {
      if (count_of(member(choice, "index")).value_or(0) == 0) {
        take_choice(choice);
        break;
      }
    }
    return std::nullopt;
  }

  void end() { answer_.is_whole = true; }

  chat_answer done() {
    if (answer_.usage) {
      answer_.usage->model = model_;
    }
    answer_.is_whole = answer_.is_whole || !answer_.finish_reason.empty();
    return std::move(answer_);
  }

 private:
  void take_choice(const json::value& choice) {
    if (const auto* message = member(choice, message_name_)) {
      answer_.text += content_of(member(*message, "content"));
      answer_.refusal += text_of(member(*message, "refusal"));
    }
    if (auto reason = text_of(member(choice, "finish_reason")); !reason.empty()) {
      answer_.finish_reason = std::move(reason);
    }
  }

  // Some tell it with each piece, what it is so far: the last counts.
  void take_usage(const json::value* told) {
    if (told == nullptr) {
      return;
    }
    const auto input = count_of(member(*told, "prompt_tokens"));
    const auto output = count_of(member(*told, "completion_tokens"));
    if (input || output) {
      answer_.usage = token_usage{{}, input.value_or(0), output.value_or(0)};
    }
  }

  std::string_view message_name_;
  std::string model_;
  chat_answer answer_;
};

constexpr std::string_view end_mark = "[DONE]";

}  // namespace

result<std::string> chat_request_body(const agent_spec& spec, std::string_view prompt) {
  if (repair_utf8(prompt) != prompt) {
    return error{error_code::invalid_input,
                 "the prompt for agent '" + spec.name.str() + "' is not UTF-8, which a request must be",
                 "find the step whose output it takes over; parse = \"text\" makes any output UTF-8"};
  }
  std::string body = R"({"model":)" + json_string(spec.model) + R"(,"messages":[{"role":"user","content":)";
  append_json_string(body, prompt);
  body += "}]";
  if (spec.max_tokens > 0) {
    body += R"(,"max_tokens":)" + std::to_string(spec.max_tokens);
  }
  body += spec.stream ? R"(,"stream":true,"stream_options":{"include_usage":true}})" : R"(,"stream":false})";
  return body;
}

provider_fault read_fault(std::string_view body) {
  const auto document = parse(body);
  if (!document) {
    return {};
  }
  return fault_of(tells_fault(*document) ? *member(*document, "error") : *document);
}

result<chat_answer> read_chat_document(std::string_view body) {
  const auto document = parse(body);
  if (!document) {
    return not_an_answer(document.error().message);
  }
  answer_reader reader{"message"};
  if (const auto why = reader.take(*document)) {
    return not_an_answer(*why);
  }
  reader.end();
  return reader.done();
}

result<chat_answer> read_chat_stream(std::string_view body) {
  event_stream events;
  answer_reader reader{"delta"};
  const auto pieces = events.feed(body);
  const auto rest = events.rest();
  if (pieces.empty() && !rest) {
    return not_an_answer("it holds no event");
  }
  std::size_t number = 0;
  for (const auto& piece : pieces) {
    ++number;
    if (piece == end_mark) {
      reader.end();
      return reader.done();
    }
    const auto document = parse(piece);
    const auto why = document ? reader.take(*document) : document.error().message;
    if (why) {
      return not_an_answer("event " + std::to_string(number) + ": " + *why);
    }
  }
  if (rest) {
    const auto document = parse(*rest);
    if (*rest == end_mark) {
      reader.end();
    } else if (document) {
      static_cast<void>(reader.take(*document));
    }
  }
  return reader.done();
}

std::string chat_piece(std::string_view event_data) {
  const auto document = parse(event_data);
  answer_reader reader{"delta"};
  return document && !reader.take(*document) ? reader.done().text : std::string{};
}

}  // namespace troupe
