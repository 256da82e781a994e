// From an order to a process: arguments, environment, prompt. Pure.
#pragma once

#include "actors/agent/process_port.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// The longest argument that Linux takes, with its end (MAX_ARG_STRLEN, 32 pages; execve(2)).
inline constexpr std::size_t argument_bytes_max = 131'072;

/// Tells an agent the absolute path of the database of its run: with the run's id, whose process it is.
inline constexpr auto* database_variable = "TROUPE_DATABASE";

/// `command`, then the arguments for the model where one is set.
std::vector<std::string> command_line(const agent_spec& spec);

/// What the process gets. The arguments are the command line. `prompt_file` is the path of the prompt where the
/// agent wants it as a file: it is the last argument, and TROUPE_PROMPT_FILE. The environment is `environment` of the agent, `pass_env` from the host, and
/// TROUPE_RUN_ID, _STEP_ID, _SUBJECT, _ATTEMPT, _IDEMPOTENCY_KEY, and _DATABASE if the host says it; nothing else.
/// INVALID_INPUT: the prompt is too long for an argument, or an argument or a variable holds a NUL.
result<process_request> launch_request(const attempt_order& order,
                                       const std::map<std::string, std::string>& host_environment,
                                       const std::string& prompt_file);

/// The same for every attempt of a task, so that what the agent does outside can be done once.
std::string idempotency_key(const task_id& task);

}  // namespace troupe
