#include "actors/agent/http_call.hpp"

#include "actors/agent/chat_completion.hpp"
#include "actors/agent/launch.hpp"
#include "actors/agent/outcome.hpp"
#include "messages/endpoint.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t tail_bytes_max = 4'096;
constexpr std::size_t shown_bytes_max = 200;

// Empty if the agent needs none.
result<std::string> key_of(const agent_spec& spec, const std::map<std::string, std::string>& host_environment) {
  if (spec.api_key_env.empty()) {
    return std::string{};
  }
  const auto found = host_environment.find(spec.api_key_env);
  if (found == host_environment.end() || found->second.empty()) {
    return error{error_code::auth_required,
                 "agent '" + spec.name.str() + "' was not asked: the variable " + spec.api_key_env +
                     " that holds its key is not set",
                 "export " + spec.api_key_env + " and start again"};
  }
  if (!std::ranges::all_of(found->second, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return error{error_code::auth_required,
                 "agent '" + spec.name.str() + "' was not asked: the key in " + spec.api_key_env +
                     " holds a blank, a line break or another character that a key has not",
                 "set " + spec.api_key_env + " to the key alone"};
  }
  return found->second;
}

std::string url_of(std::string endpoint) {
  while (endpoint.ends_with('/')) {
    endpoint.pop_back();
  }
  return endpoint + "/chat/completions";
}

}  // namespace

result<prepared_call> prepare_call(const attempt_order& order,
                                   const std::map<std::string, std::string>& host_environment) {
  const auto& spec = order.spec;
  const auto address = parse_endpoint(spec.endpoint);
  if (!address) {
    return error{error_code::invalid_config,
                 "the endpoint of agent '" + spec.name.str() + "' " + address.error().message,
                 address.error().hint};
  }
  auto key = key_of(spec, host_environment);
  if (!key) {
    return key.error();
  }
  auto body = chat_request_body(spec, order.prompt);
  if (!body) {
    return body.error();
  }
  prepared_call made;
  made.request.url = url_of(spec.endpoint);
  for (const auto& [name, value] : spec.headers) {
    made.request.headers.push_back({name, value});
  }
  made.request.headers.push_back({"Content-Type", "application/json"});
  made.request.headers.push_back({"Accept", spec.stream ? "text/event-stream, application/json" : "application/json"});
  made.request.headers.push_back({"Idempotency-Key", idempotency_key(order.task.id)});
  if (!key->empty()) {
    made.request.headers.push_back({"Authorization", "Bearer " + *key});
  }
  made.request.body = std::make_shared<const std::string>(*std::move(body));
  made.request.limits = {spec.connect_timeout, spec.first_output, spec.idle_timeout};
  // A proxy is for other machines: to this one it would carry what was never meant to leave it.
  made.request.route = address->is_loopback ? http_route::direct : http_route::as_environment_says;
  made.request.output_limit = spec.output_limit;
  made.key = *std::move(key);
  return made;
}

void blot_out(std::string& bytes, std::string_view key) {
  if (key.size() < secret_bytes_min) {
    return;
  }
  for (auto at = bytes.find(key); at != std::string::npos; at = bytes.find(key, at + key.size())) {
    bytes.replace(at, key.size(), key.size(), '*');
  }
}

void blot_out(http_end& end, std::string_view key) {
  blot_out(end.body, key);
  blot_out(end.failure_text, key);
  for (auto& [name, value] : end.headers) {
    blot_out(name, key);
    blot_out(value, key);
  }
}

std::string answer_preview::take(std::string_view fresh) {
  for (const auto& data : events_.feed(fresh)) {
    tail_ += chat_piece(data);
  }
  if (tail_.size() > tail_bytes_max) {
    tail_.erase(0, tail_.size() - tail_bytes_max);
  }
  return last_line_for_display(tail_, shown_bytes_max);
}

http_call::http_call(std::shared_ptr<http_port> port, http_post request, http_listener listener)
    : port_(std::move(port)), handle_(port_->start(std::move(request), std::move(listener))) {}

}  // namespace troupe
