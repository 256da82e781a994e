// Runs host functions, each on a thread of its own.
#pragma once

#include "actors/agent/function_executor.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe {

/// As many threads as functions run: bounded by the runs' max_concurrent. A function that ignores its stop token is
/// waited for by the destructor: threads cannot be killed.
class function_threads final : public function_executor {
 public:
  function_threads() = default;
  ~function_threads() override;
  function_threads(const function_threads&) = delete;
  function_threads& operator=(const function_threads&) = delete;

  function_handle start(host_function function, function_request request, function_listener listener) override;
  void stop(function_handle which) override;

 private:
  void join_ended();

  std::mutex guard_;
  std::map<function_handle, std::jthread> running_;
  std::map<function_handle, std::jthread> ended_;  // left the function; joined by the next call
  function_handle next_ = 1;
};

}  // namespace troupe
