// What an agent actor needs to run a function of the host. Implemented by runtime/ with threads, in tests at once.
#pragma once

#include "messages/base/result.hpp"
#include "messages/function.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace troupe {

using function_handle = std::uint64_t;

/// Called on a thread of the executor; `ended` exactly once, and nothing after it.
struct function_listener {
  std::function<void(std::string line)> progress;
  std::function<void(result<function_reply>)> ended;
};

class function_executor {
 public:
  virtual ~function_executor() = default;

  /// Fills in the request's stop, sleep and progress. An exception of the function ends it with INTERNAL. Any thread;
  /// does not block.
  virtual function_handle start(host_function function, function_request request, function_listener listener) = 0;

  /// Asks the function to stop; one that does not look at its stop token runs on. Any thread; does not block.
  virtual void stop(function_handle which) = 0;
};

}  // namespace troupe
