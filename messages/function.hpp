// Functions of the host as executors of steps.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "messages/run.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// What a function gets. Valid during the call.
struct function_request {
  run_id run;
  std::string subject;
  step_id step;
  task_id task;
  superstep_no superstep;
  attempt_no attempt;
  std::uint64_t seed = 0;                  ///< Of this attempt; the same in every recovery.
  std::shared_ptr<const json_text> state;  ///< As it was when the superstep began.
  std::shared_ptr<const json_text> inputs;
  json_text args;
  std::string prompt;
  std::optional<json_text> item{};            ///< Inside a map: the element.
  std::stop_token stop;                       ///< Asked for by a time-out, a cancel or a shutdown.
  std::function<bool(milliseconds)> sleep;    ///< True if slept whole, false when stopped.
  std::function<void(std::string)> progress;  ///< Shown to who watches; not stored.
};

/// What it gives. Its value becomes the step's result; explicit deltas take its place.
struct function_reply {
  std::optional<json_text> value;
  std::vector<field_delta> deltas;
  std::optional<token_usage> usage;
  std::string printed;                          ///< Recorded as the attempt's stdout.
  std::optional<std::vector<step_id>> route{};  ///< The steps that follow, in the place of the step's `next`.
};

/// Called on a thread of the node, any number at once. An error fails the attempt with that code.
using host_function = std::function<result<function_reply>(const function_request&)>;

using function_table = std::map<std::string, host_function>;

}  // namespace troupe
