#include "runtime/cassettes/cassette.hpp"

#include "actors/agent/http_outcome.hpp"
#include "actors/agent/request_hash.hpp"
#include "actors/json/json.hpp"
#include "runtime/json/base64.hpp"
#include "runtime/json/indented.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/members.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace troupe {
namespace {

namespace json = boost::json;

constexpr std::string_view version_member = "troupe_cassette";
constexpr std::int64_t version = 1;

template <class Enum, std::size_t N>
using names = std::array<std::pair<Enum, std::string_view>, N>;

// Stored in cassettes: never rename.
constexpr names<recorded_end, 3> ends{{{recorded_end::by_itself, "by_itself"},
                                       {recorded_end::too_late, "too_late"},
                                       {recorded_end::lost_race, "lost_race"}}};
constexpr names<agent_kind, 2> kinds{{{agent_kind::command, "command"}, {agent_kind::http, "http"}}};
constexpr names<http_failure, 12> failures{{{http_failure::malformed, "malformed"},
                                            {http_failure::unresolved, "unresolved"},
                                            {http_failure::refused, "refused"},
                                            {http_failure::unreachable, "unreachable"},
                                            {http_failure::untrusted, "untrusted"},
                                            {http_failure::connect_timeout, "connect_timeout"},
                                            {http_failure::first_output_timeout, "first_output_timeout"},
                                            {http_failure::idle_timeout, "idle_timeout"},
                                            {http_failure::cut, "cut"},
                                            {http_failure::not_http, "not_http"},
                                            {http_failure::too_large, "too_large"},
                                            {http_failure::stopped, "stopped"}}};

template <class Enum, std::size_t N>
std::string_view name_in(const names<Enum, N>& all, Enum which) {
  const auto* found = std::ranges::find(all, which, &std::pair<Enum, std::string_view>::first);
  return found == all.end() ? std::string_view{} : found->second;
}

template <class Enum, std::size_t N>
std::optional<Enum> value_in(const names<Enum, N>& all, std::string_view name) {
  const auto* found = std::ranges::find(all, name, &std::pair<Enum, std::string_view>::second);
  return found == all.end() ? std::nullopt : std::optional{found->first};
}

std::string bytes_json(std::string_view bytes) {
  if (repair_utf8(bytes) != bytes) {
    return object_writer{}.text("base64", base64(bytes)).str();
  }
  if (bytes.find('\n') == std::string_view::npos) {
    return json_string(bytes);
  }
  list_writer lines;
  for (std::size_t from = 0; from != std::string_view::npos;) {
    const auto end = bytes.find('\n', from);
    lines.text(bytes.substr(from, end == std::string_view::npos ? end : end - from));
    from = end == std::string_view::npos ? end : end + 1;
  }
  return lines.str();
}

std::optional<std::string> bytes_in(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (found->is_string()) {
    return std::string{found->get_string()};
  }
  if (const auto* encoded = found->if_object()) {
    return from_base64(text_in(*encoded, "base64"));
  }
  const auto* lines = found->if_array();
  if (lines == nullptr) {
    return std::nullopt;
  }
  std::string text;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    const auto* line = (*lines)[i].if_string();
    if (line == nullptr) {
      return std::nullopt;
    }
    text += (i == 0 ? "" : "\n") + std::string{*line};
  }
  return text;
}

template <class Number>
std::optional<std::int64_t> wide(const std::optional<Number>& number) {
  return number ? std::optional{static_cast<std::int64_t>(*number)} : std::nullopt;
}

std::optional<int> small_in(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found != nullptr && found->is_int64() ? std::optional{static_cast<int>(found->get_int64())} : std::nullopt;
}

std::string failure_json(const error& why) {
  return object_writer{}
      .text("code", to_string(why.code))
      .text("message", why.message)
      .text("hint", why.hint)
      .number_or_null("retry_after_ms", why.retry_after ? std::optional{why.retry_after->count()} : std::nullopt)
      .str();
}

std::string http_json(const http_end& end) {
  list_writer headers;
  for (const auto& [name, value] : end.headers) {
    if (tells_about_provider(name)) {
      headers.text(name + ": " + value);
    }
  }
  return object_writer{}
      .text_or_null("failure", end.failure ? name_in(failures, *end.failure) : std::string_view{})
      .text("failure_text", end.failure_text)
      .raw("headers", headers.str())
      .time("ended_at", end.ended_at)
      .str();
}

std::string usage_json(const token_usage& usage) {
  return object_writer{}
      .text("model", usage.model)
      .number("input_tokens", usage.input_tokens)
      .number("output_tokens", usage.output_tokens)
      .str();
}

std::string request_json(const recorded_request& asked) {
  object_writer all;
  all.text("hash", asked.hash)
      .text("kind", name_in(kinds, asked.kind))
      .text("agent", asked.agent.str())
      .text("model", asked.model)
      .raw("prompt", bytes_json(asked.prompt));
  if (asked.item) {
    all.raw("item", *asked.item);
  }
  all.text("step", asked.place.step.str()).number("superstep", asked.place.superstep.value());
  if (asked.place.element >= 0) {
    all.number("element", asked.place.element);
  }
  return all.number("attempt", asked.place.attempt.value()).str();
}

std::string answer_json(const recorded_answer& answer) {
  const auto& end = answer.end;
  object_writer all;
  all.text("ended", name_in(ends, answer.how))
      .boolean("started", end.ran)
      .number_or_null("exit_code", wide(end.exit.exit_code))
      .number_or_null("signal", wide(end.exit.signal))
      .number_or_null("http_status", wide(end.exit.http_status))
      .raw("stdout", bytes_json(*end.standard_output))
      .raw("stderr", bytes_json(*end.standard_error))
      .number("stdout_bytes", end.standard_output_bytes)
      .number("stderr_bytes", end.standard_error_bytes)
      .raw("failure", end.failure ? failure_json(*end.failure) : "null")
      .raw("usage", answer.usage ? usage_json(*answer.usage) : "null");
  return end.http ? all.raw("http", http_json(*end.http)).str() : all.str();
}

error no_cassette(std::string what) {
  return {error_code::invalid_input, std::move(what), "record it anew: troupe run WORKFLOW --record DIR"};
}

std::optional<recorded_request> request_in(const json::object& from) {
  const auto kind = value_in(kinds, text_in(from, "kind"));
  auto prompt = bytes_in(from, "prompt");
  if (!kind || !prompt) {
    return std::nullopt;
  }
  recorded_request asked;
  asked.hash = text_in(from, "hash");
  asked.kind = *kind;
  asked.agent = agent_name{text_in(from, "agent")};
  asked.model = text_in(from, "model");
  asked.prompt = *std::move(prompt);
  if (const auto* item = from.if_contains("item")) {
    asked.item = canonical(*item);
  }
  asked.place.step = step_id{text_in(from, "step")};
  asked.place.superstep = superstep_no{number_in(from, "superstep")};
  asked.place.element = from.contains("element") ? number_in(from, "element") : -1;
  asked.place.attempt = attempt_no{number_in(from, "attempt")};
  const bool is_whole = !asked.hash.empty() && !asked.agent.empty() && asked.place.attempt.value() > 0;
  return is_whole ? std::optional{std::move(asked)} : std::nullopt;
}

std::optional<error> failure_in(const json::object& from) {
  const auto* told = object_in(from, "failure");
  const auto code = told != nullptr ? error_code_from(text_in(*told, "code")) : std::nullopt;
  if (!code) {
    return std::nullopt;
  }
  error why{*code, text_in(*told, "message"), text_in(*told, "hint")};
  if (told->contains("retry_after_ms") && told->at("retry_after_ms").is_int64()) {
    why.retry_after = milliseconds{number_in(*told, "retry_after_ms")};
  }
  return why;
}

// The body is the answer's standard output; what is judged of the rest is what was kept of it.
http_end http_in(const json::object& from, const attempt_end& end) {
  http_end made;
  made.status = end.exit.http_status;
  made.failure = value_in(failures, text_in(from, "failure"));
  made.failure_text = text_in(from, "failure_text");
  made.ended_at = time_in(from, "ended_at").value_or(timestamp{});
  made.body_bytes = end.standard_output_bytes;
  const auto* headers = from.if_contains("headers");
  for (const auto& each : headers != nullptr && headers->is_array() ? headers->get_array() : json::array{}) {
    const std::string line = each.is_string() ? std::string{each.get_string()} : std::string{};
    if (const auto colon = line.find(": "); colon != std::string::npos) {
      made.headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
  }
  return made;
}

std::optional<recorded_answer> answer_in(const json::object& from) {
  const auto how = value_in(ends, text_in(from, "ended"));
  auto standard_output = bytes_in(from, "stdout");
  auto standard_error = bytes_in(from, "stderr");
  if (!how || !standard_output || !standard_error) {
    return std::nullopt;
  }
  recorded_answer answer;
  answer.how = *how;
  auto& end = answer.end;
  end.ran = truth_in(from, "started");
  end.exit.exit_code = small_in(from, "exit_code");
  end.exit.signal = small_in(from, "signal");
  end.exit.http_status = small_in(from, "http_status");
  end.standard_output = std::make_shared<const std::string>(*std::move(standard_output));
  end.standard_error = std::make_shared<const std::string>(*std::move(standard_error));
  end.standard_output_bytes = number_in(from, "stdout_bytes");
  end.standard_error_bytes = number_in(from, "stderr_bytes");
  end.failure = failure_in(from);
  if (const auto* http = object_in(from, "http")) {
    end.http = http_in(*http, end);
  }
  if (const auto* usage = object_in(from, "usage")) {
    answer.usage =
        token_usage{text_in(*usage, "model"), number_in(*usage, "input_tokens"), number_in(*usage, "output_tokens")};
  }
  const bool says_why = end.ran || end.failure;
  return says_why ? std::optional{std::move(answer)} : std::nullopt;
}

}  // namespace

recorded_request request_of(const attempt_order& order) {
  return {request_hash(order),
          order.spec.kind,
          order.spec.name,
          order.spec.model,
          order.prompt,
          order.item,
          {order.task.superstep, order.task.step, order.task.item.value_or(-1), order.attempt}};
}

std::string to_text(const cassette& what) {
  return indented(object_writer{}
                      .number(version_member, version)
                      .raw("request", request_json(what.asked))
                      .raw("answer", answer_json(what.answer))
                      .str()) +
         '\n';
}

result<cassette> parse_cassette(std::string_view text) {
  const auto document = parse(text);
  if (!document) {
    return no_cassette("it is no JSON: " + document.error().message);
  }
  const auto* whole = document->if_object();
  if (whole == nullptr || number_in(*whole, version_member) != version) {
    return no_cassette("it is no cassette of version 1");
  }
  const auto* request = object_in(*whole, "request");
  const auto* answer = object_in(*whole, "answer");
  auto asked = request != nullptr ? request_in(*request) : std::nullopt;
  auto told = answer != nullptr ? answer_in(*answer) : std::nullopt;
  if (!asked || !told) {
    return no_cassette(std::string{"its "} + (asked ? "answer" : "request") + " is not whole");
  }
  return cassette{*std::move(asked), *std::move(told)};
}

}  // namespace troupe
