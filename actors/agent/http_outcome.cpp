#include "actors/agent/http_outcome.hpp"

#include "actors/agent/chat_completion.hpp"
#include "actors/agent/http_date.hpp"
#include "actors/agent/outcome.hpp"
#include "actors/agent/output_parsing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t shown_bytes_max = 200;
constexpr milliseconds refused_wait{2'000};
constexpr milliseconds wait_max{std::chrono::hours{24 * 30}};

const std::string* header(const http_end& end, std::string_view name) {
  const auto found = std::ranges::find(end.headers, name, &http_header::name);
  return found == end.headers.end() ? nullptr : &found->value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto* const last = text.data() + text.size();
  const auto read = std::from_chars(text.data(), last, number);
  if (read.ptr != last || text.empty() || text.front() == '-') {
    return std::nullopt;
  }
  return read.ec == std::errc::result_out_of_range ? std::optional{wait_max.count()} : std::optional{number};
}

// What providers name in `error.code` or `error.type`.
constexpr std::array<std::pair<std::string_view, error_code>, 16> named_faults{{
    {"insufficient_quota", error_code::budget_exceeded},
    {"billing_hard_limit_reached", error_code::budget_exceeded},
    {"billing_not_active", error_code::budget_exceeded},
    {"rate_limit_exceeded", error_code::rate_limited},
    {"rate_limit_error", error_code::rate_limited},
    {"overloaded_error", error_code::rate_limited},
    {"server_error", error_code::provider_unavailable},
    {"api_error", error_code::provider_unavailable},
    {"timeout_error", error_code::provider_unavailable},
    {"invalid_api_key", error_code::auth_required},
    {"authentication_error", error_code::auth_required},
    {"permission_error", error_code::auth_required},
    {"model_not_found", error_code::not_found},
    {"not_found_error", error_code::not_found},
    {"context_length_exceeded", error_code::invalid_input},
    {"invalid_request_error", error_code::invalid_input},
}};

std::optional<error_code> code_of_name(std::string_view name) {
  const auto* found = std::ranges::find(named_faults, name, &decltype(named_faults)::value_type::first);
  return found == named_faults.end() ? std::nullopt : std::optional{found->second};
}

error_code code_of_status(int status) {
  constexpr std::array<std::pair<int, error_code>, 10> known{{{401, error_code::auth_required},
                                                              {402, error_code::budget_exceeded},
                                                              {403, error_code::auth_required},
                                                              {404, error_code::not_found},
                                                              {407, error_code::auth_required},
                                                              {408, error_code::provider_unavailable},
                                                              {409, error_code::provider_unavailable},
                                                              {425, error_code::provider_unavailable},
                                                              {429, error_code::rate_limited},
                                                              {529, error_code::rate_limited}}};
  const auto* found = std::ranges::find(known, status, &decltype(known)::value_type::first);
  if (found != known.end()) {
    return found->second;
  }
  if (status >= 500) {
    return error_code::provider_unavailable;
  }
  return status >= 400 ? error_code::invalid_input : error_code::invalid_config;  // below: a redirection
}

// Two faults say more than their status: an empty account is no rate limit, and a model that is not there no bad input.
error_code code_of_answer(int status, const provider_fault& fault) {
  for (const auto& name : {fault.code, fault.type}) {
    const auto named = code_of_name(name);
    const bool is_finer = named == error_code::budget_exceeded || (named == error_code::not_found && status == 400);
    if (is_finer && status >= 400) {
      return *named;
    }
  }
  return code_of_status(status);
}

// Told within an answer that began well.
error_code code_of_fault(const provider_fault& fault) {
  if (fault.status) {
    return code_of_answer(*fault.status, fault);
  }
  return code_of_name(fault.code).value_or(code_of_name(fault.type).value_or(error_code::provider_unavailable));
}

std::string hint_for(error_code code, const agent_spec& spec) {
  if (code == error_code::auth_required) {
    return spec.api_key_env.empty() ? "name the variable that holds the key in api_key_env of the agent"
                                    : "check the key in " + spec.api_key_env;
  }
  if (code == error_code::not_found) {
    return "check the agent's endpoint and model '" + spec.model + "'";
  }
  if (code == error_code::budget_exceeded) {
    return "the account with this provider is used up: no retry helps before it is filled";
  }
  if (code == error_code::invalid_input) {
    return "the whole answer is kept: troupe output RUN STEP";
  }
  return code == error_code::invalid_config ? "set the agent's endpoint to the address that it names" : "";
}

class http_judge {
 public:
  http_judge(const attempt_order& order, const http_end& end, std::string_view body)
      : order_(order), end_(end), body_(body), agent_("agent '" + order.spec.name.str() + "'") {}

  task_outcome judge() {
    if (end_.failure == http_failure::stopped) {
      return ended_as(task_state::interrupted,
                      {error_code::cancelled, "the attempt was interrupted: the node is shutting down", ""});
    }
    if (end_.failure == http_failure::too_large) {
      return failed({error_code::output_too_large,
                     agent_ + " answered with more than its output_limit of " +
                         std::to_string(order_.spec.output_limit) + " bytes and was stopped; the head is kept",
                     "raise output_limit of the agent, or ask for less"});
    }
    if (!end_.status) {
      return failed(error_of_failure(end_.failure.value_or(http_failure::cut)));
    }
    if (*end_.status < 200 || *end_.status > 299) {
      return failed(error_of_status(*end_.status));
    }
    return judge_answer();
  }

 private:
  bool is_stream() const {
    const auto* type = header(end_, "content-type");
    if (type == nullptr) {
      return order_.spec.stream;
    }
    constexpr std::string_view wanted = "text/event-stream";
    return std::ranges::equal(std::string_view{*type}.substr(0, wanted.size()), wanted, [](char got, char want) {
      return (got >= 'A' && got <= 'Z' ? static_cast<char>(got + 32) : got) == want;
    });
  }

  // Where the answer says of itself that it is whole, it does not matter how the connection ended.
  task_outcome judge_answer() {
    if (end_.failure && !is_stream()) {
      return failed(error_of_failure(*end_.failure));
    }
    if (body_.empty()) {
      return failed(end_.failure ? error_of_failure(*end_.failure) : nothing_said(""));
    }
    auto answer = is_stream() ? read_chat_stream(body_) : read_chat_document(body_);
    if (!answer) {
      return failed(end_.failure ? error_of_failure(*end_.failure) : answer.error());
    }
    usage_ = std::move(answer->usage);
    if (usage_ && usage_->model.empty()) {
      usage_->model = order_.spec.model;
    }
    if (answer->fault) {
      const auto code = code_of_fault(*answer->fault);
      return failed(fault_error(code, agent_ + " broke off its answer", *answer->fault));
    }
    if (!answer->is_whole) {
      return failed(error_of_failure(end_.failure.value_or(http_failure::cut)));
    }
    if (auto why = not_usable(*answer)) {
      return failed(*std::move(why));
    }
    auto parsed = parse_output(order_.spec, answer->text, order_.prompt);
    if (!parsed) {
      return failed(parsed.error());
    }
    task_outcome outcome;
    outcome.value = std::move(parsed->value);
    outcome.found_by = std::move(parsed->found_by);
    outcome.usage = std::move(usage_);
    return outcome;
  }

  std::optional<error> not_usable(const chat_answer& answer) const {
    if (answer.finish_reason == "length") {
      return error{error_code::output_invalid,
                   agent_ + " was cut off at its limit of tokens (finish_reason \"length\"); what it said is kept",
                   "ask for less, or raise max_tokens of the agent, or the limit of the model or its server"};
    }
    if (answer.finish_reason == "content_filter") {
      return error{error_code::output_invalid,
                   agent_ + ": the provider's content filter cut its answer (finish_reason \"content_filter\")",
                   "see what came: troupe output RUN STEP"};
    }
    if (!answer.refusal.empty()) {
      return error{error_code::output_invalid,
                   agent_ + " refused to answer: " + last_line_for_display(answer.refusal, shown_bytes_max),
                   ""};
    }
    return answer.text.empty() ? std::optional{nothing_said(answer.finish_reason)} : std::nullopt;
  }

  error nothing_said(const std::string& reason) const {
    return {error_code::agent_no_output,
            agent_ + " answered with status " + std::to_string(end_.status.value_or(0)) + " and no text" +
                (reason.empty() ? "" : " (finish_reason \"" + for_display(reason, shown_bytes_max) + "\")"),
            "the raw answer is kept: troupe output RUN STEP"};
  }

  error error_of_status(int status) const {
    const auto fault = read_fault(body_);
    auto what = agent_ + ": the provider answered with status " + std::to_string(status);
    if (const auto* location = header(end_, "location"); status < 400 && location != nullptr) {
      what += ", which sends to " + for_display(*location, shown_bytes_max) + " and is not followed";
    }
    return fault_error(code_of_answer(status, fault), std::move(what), fault);
  }

  error fault_error(error_code code, std::string what, const provider_fault& fault) const {
    const auto name = fault.code.empty() ? fault.type : fault.code;
    if (!name.empty()) {
      what += " (" + for_display(name, shown_bytes_max) + ')';
    }
    if (auto words = fault.message; !words.empty()) {
      std::ranges::replace(words, '\n', ' ');
      what += ": " + for_display(words, shown_bytes_max);
    }
    error made{code, std::move(what), hint_for(code, order_.spec)};
    if (code == error_code::rate_limited || code == error_code::provider_unavailable) {
      made.retry_after = retry_after_of(end_);
    }
    return made;
  }

  error error_of_failure(http_failure failure) const {
    const auto& limits = order_.spec;
    const auto unavailable = [&](const std::string& what, std::string hint) {
      return error{error_code::provider_unavailable, agent_ + what + detail(), std::move(hint)};
    };
    const auto late = [&](const std::string& what, std::string hint) {
      return error{error_code::task_timeout, agent_ + what + " and was stopped; what came is kept", std::move(hint)};
    };
    switch (failure) {
      case http_failure::malformed:
        return {error_code::invalid_config, agent_ + " was not asked" + detail(), "check its endpoint and headers"};
      case http_failure::unresolved:
        return unavailable(" was not reached: its host has no address", "check its endpoint, and the network");
      case http_failure::refused: {
        auto why = unavailable(" was not reached: nobody listens at " + limits.endpoint, "is its server running?");
        why.retry_after = refused_wait;
        return why;
      }
      case http_failure::unreachable:
        return unavailable(" was not reached", "check its endpoint, the network, and https_proxy");
      case http_failure::untrusted:
        return {error_code::invalid_config,
                agent_ + " was not asked: the certificate of " + limits.endpoint + " is not trusted" + detail(),
                "for an authority of your own, name the file of its certificate in SSL_CERT_FILE"};
      case http_failure::connect_timeout:
        return unavailable(" was not reached within " + to_text(limits.connect_timeout),
                           "check its endpoint, or raise connect_timeout");
      case http_failure::first_output_timeout:
        return late(" sent nothing for " + to_text(limits.first_output.value_or(milliseconds{0})),
                    "raise first_output of the agent");
      case http_failure::idle_timeout:
        return late(" sent nothing more for " + to_text(limits.idle_timeout.value_or(milliseconds{0})),
                    "raise idle_timeout of the agent");
      case http_failure::cut:
        return unavailable(": the connection ended before its answer did; what came is kept", "");
      case http_failure::not_http:
        return unavailable(": what listens at " + limits.endpoint + " does not speak HTTP", "check its endpoint");
      case http_failure::too_large:
      case http_failure::stopped:
        break;
    }
    return {error_code::internal, agent_ + ": its request ended for no known reason" + detail(), ""};
  }

  std::string detail() const {
    return end_.failure_text.empty() ? "" : ": " + for_display(end_.failure_text, shown_bytes_max);
  }

  task_outcome failed(error why) { return ended_as(task_state::failed, std::move(why)); }

  task_outcome ended_as(task_state state, error why) {
    task_outcome outcome;
    outcome.state = state;
    outcome.usage = std::move(usage_);  // paid for, whatever came of it
    outcome.why = std::move(why);
    return outcome;
  }

  const attempt_order& order_;
  const http_end& end_;
  std::string_view body_;
  std::string agent_;
  std::optional<token_usage> usage_;
};

}  // namespace

task_outcome judge_http(const attempt_order& order, const http_end& end, std::string_view body) {
  return http_judge{order, end, body}.judge();
}

std::optional<milliseconds> retry_after_of(const http_end& end) {
  if (const auto* exact = header(end, "retry-after-ms")) {
    if (const auto number = whole_number(*exact)) {
      return std::min(milliseconds{*number}, wait_max);
    }
  }
  const auto* told = header(end, "retry-after");
  if (told == nullptr) {
    return std::nullopt;
  }
  if (const auto number = whole_number(*told)) {
    return std::chrono::seconds{std::min<std::int64_t>(*number, wait_max / std::chrono::seconds{1})};
  }
  const auto until = parse_http_date(*told);
  if (!until) {
    return std::nullopt;
  }
  const auto* date = header(end, "date");
  const auto since = date == nullptr ? std::nullopt : parse_http_date(*date);
  const auto wait = std::chrono::ceil<milliseconds>(*until - since.value_or(end.ended_at));
  return std::clamp(wait, milliseconds{0}, wait_max);
}

bool tells_about_provider(std::string_view header) noexcept {
  constexpr std::array<std::string_view, 6> kept{
      "content-type", "date", "request-id", "retry-after", "retry-after-ms", "x-request-id"};
  return std::ranges::find(kept, header) != kept.end() || header.starts_with("x-ratelimit-");
}

std::string head_of(const http_end& end) {
  if (!end.status) {
    return {};
  }
  std::string head = "HTTP status " + std::to_string(*end.status) + '\n';
  for (const auto& [name, value] : end.headers) {
    if (tells_about_provider(name)) {
      head += name;
      head += ": ";
      head += value;
      head += '\n';
    }
  }
  return head;
}

}  // namespace troupe
