#include "config/http_agents.hpp"

#include "messages/endpoint.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

// What Troupe or the transfer sets itself.
constexpr std::array<std::string_view, 8> own_headers{
    "host", "content-type", "content-length", "transfer-encoding", "accept", "connection", "expect", "idempotency-key"};
constexpr std::array<std::string_view, 6> secret_headers{
    "authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "x-goog-api-key"};

std::string lower(std::string text) {
  std::ranges::transform(
      text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool is_header_text(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return (c >= ' ' && c != '\x7f') || c == '\t' || c < 0; });
}

class http_agent_checker {
 public:
  explicit http_agent_checker(const agent_spec& agent) : agent_(agent) {}

  std::vector<agent_fault> check() {
    if (agent_.endpoint.empty()) {
      add("endpoint", named("has no endpoint"), "add endpoint = \"http://...\"");
    } else {
      check_endpoint();
    }
    if (agent_.model.empty()) {
      add("model", named("has no model"), "add model = \"the name that its API knows\"");
    }
    for (const auto& [name, value] : agent_.headers) {
      check_header(name, value);
    }
    return std::move(found_);
  }

 private:
  void check_endpoint() {
    const auto address = parse_endpoint(agent_.endpoint);
    if (!address) {
      add("endpoint", "'endpoint' " + address.error().message, address.error().hint);
    } else if (!address->secure && !address->is_loopback && !agent_.api_key_env.empty()) {
      add("endpoint",
          "'endpoint' is plain http to another machine: the key would go there for all to read",
          "use https; or a tunnel that ends at 127.0.0.1; or no api_key_env, where the API asks for none");
    }
  }

  void check_header(const std::string& name, const std::string& value) {
    const auto is_name = [known = lower(name)](std::string_view each) { return each == known; };
    if (std::ranges::any_of(secret_headers, is_name)) {
      add("headers." + name,
          "header '" + name + "' is a secret, which does not belong into a file",
          "name the variable that holds it in api_key_env: it is sent as a bearer token");
    } else if (std::ranges::any_of(own_headers, is_name)) {
      add("headers." + name, "header '" + name + "' is set by Troupe", "take it out");
    } else if (!is_header_text(value)) {
      add("headers." + name, "header '" + name + "' holds a line break or another control character", "take it out");
    }
  }

  std::string named(std::string_view what) const { return "agent '" + agent_.name.str() + "' " + std::string{what}; }

  void add(std::string key, std::string message, std::string hint) {
    found_.push_back({std::move(key), std::move(message), std::move(hint)});
  }

  const agent_spec& agent_;
  std::vector<agent_fault> found_;
};

}  // namespace

std::vector<agent_fault> faults_of_http_agent(const agent_spec& agent) { return http_agent_checker{agent}.check(); }

std::vector<problem> check_keys(const loaded_config& config, const std::map<std::string, std::string>& environment) {
  std::vector<problem> found;
  if (config.values == nullptr) {
    return found;
  }
  for (const auto& [name, agent] : config.values->agents) {
    const auto set = environment.find(agent.api_key_env);
    if (agent.kind != agent_kind::http || agent.api_key_env.empty() ||
        (set != environment.end() && !set->second.empty())) {
      continue;
    }
    const std::string key = "agents." + name.str() + ".api_key_env";
    found.push_back({problem::severity::warning,
                     error_code::auth_required,
                     config.positions.find(key),
                     key,
                     "agent '" + name.str() + "': the variable " + agent.api_key_env + " that holds its key is not set",
                     "export " + agent.api_key_env + " before the start"});
  }
  return found;
}

}  // namespace troupe
