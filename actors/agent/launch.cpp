#include "actors/agent/launch.hpp"

#include "messages/base/sha256.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

std::vector<std::string> environment_of(const attempt_order& order,
                                        const std::map<std::string, std::string>& host,
                                        const std::string& prompt_file) {
  std::map<std::string, std::string> all;
  for (const auto& name : order.spec.pass_environment) {
    if (const auto found = host.find(name); found != host.end()) {
      all[name] = found->second;
    }
  }
  for (const auto& [name, value] : order.spec.environment) {
    all[name] = value;
  }
  if (const auto database = host.find(database_variable); database != host.end()) {
    all[database_variable] = database->second;
  }
  all["TROUPE_RUN_ID"] = order.run.str();
  all["TROUPE_STEP_ID"] = order.task.step.str();
  all["TROUPE_SUBJECT"] = order.subject;
  all["TROUPE_ATTEMPT"] = std::to_string(order.attempt.value());
  all["TROUPE_IDEMPOTENCY_KEY"] = idempotency_key(order.task.id);
  if (!prompt_file.empty()) {
    all["TROUPE_PROMPT_FILE"] = prompt_file;
  }
  std::vector<std::string> list;
  list.reserve(all.size());
  for (const auto& [name, value] : all) {
    auto& entry = list.emplace_back(name);
    entry += '=';
    entry += value;
  }
  return list;
}

std::optional<error> refuse_as_argument(const attempt_order& order) {
  const std::string agent =
      "the prompt of step '" + order.task.step.str() + "' for agent '" + order.spec.name.str() + "'";
  if (order.prompt.size() >= argument_bytes_max) {
    return error{error_code::invalid_input,
                 agent + " has " + std::to_string(order.prompt.size()) + " bytes; the system takes arguments below " +
                     std::to_string(argument_bytes_max),
                 "set prompt = \"stdin\" or \"file\" for this agent"};
  }
  return std::nullopt;
}

error nul_in(const std::string& what, std::string hint) {
  return {error_code::invalid_input, what + " holds a NUL byte, at which the system would cut it", std::move(hint)};
}

// Arguments and variables end at the first NUL: the agent would get a part, in silence.
std::optional<error> refuse_nul(const attempt_order& order, const process_request& request) {
  const auto holds_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (order.spec.prompt == prompt_channel::argument && holds_nul(order.prompt)) {
    return nul_in("the prompt of step '" + order.task.step.str() + "'",
                  "set prompt = \"stdin\" or \"file\" for agent '" + order.spec.name.str() + "'");
  }
  if (std::ranges::any_of(request.argv, holds_nul)) {
    return nul_in("the command of agent '" + order.spec.name.str() + "'", "");
  }
  const auto variable = std::ranges::find_if(request.environment, holds_nul);
  if (variable != request.environment.end()) {
    return nul_in("the environment variable '" + variable->substr(0, variable->find('=')) + "' for agent '" +
                      order.spec.name.str() + "'",
                  "");
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> command_line(const agent_spec& spec) {
  constexpr std::string_view name = "{{model}}";
  auto all = spec.command;
  for (std::string argument : spec.model.empty() ? std::vector<std::string>{} : spec.model_arguments) {
    for (auto at = argument.find(name); at != std::string::npos; at = argument.find(name, at + spec.model.size())) {
      argument.replace(at, name.size(), spec.model);
    }
    all.push_back(std::move(argument));
  }
  return all;
}

std::string idempotency_key(const task_id& task) { return sha256_hex(task.str()).substr(0, 32); }

result<process_request> launch_request(const attempt_order& order,
                                       const std::map<std::string, std::string>& host_environment,
                                       const std::string& prompt_file) {
  process_request request;
  request.argv = command_line(order.spec);
  request.environment = environment_of(order, host_environment, prompt_file);
  request.working_directory = order.spec.working_directory;
  request.output_limit = order.spec.output_limit;
  request.key = order.task.id.str();
  request.agent = order.spec.name.str();
  request.group = order.run.str();
  switch (order.spec.prompt) {
    case prompt_channel::standard_input:
      request.standard_input = std::make_shared<const std::string>(order.prompt);
      break;
    case prompt_channel::argument:
      if (auto refused = refuse_as_argument(order)) {
        return *std::move(refused);
      }
      request.argv.push_back(order.prompt);
      break;
    case prompt_channel::file:
      request.argv.push_back(prompt_file);
      break;
  }
  if (auto refused = refuse_nul(order, request)) {
    return *std::move(refused);
  }
  return request;
}

}  // namespace troupe
