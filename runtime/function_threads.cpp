#include "runtime/function_threads.hpp"

#include <condition_variable>
#include <exception>
#include <stop_token>
#include <utility>

namespace troupe {
namespace {

// True if slept whole.
bool sleep(const std::stop_token& stop, milliseconds length) {
  std::mutex guard;
  std::condition_variable_any stopped;
  std::unique_lock lock{guard};
  stopped.wait_for(lock, stop, length, [] { return false; });
  return !stop.stop_requested();
}

result<function_reply> call(const host_function& function, const function_request& request) {
  try {
    return function(request);
  } catch (const std::exception& thrown) {
    return error{error_code::internal, std::string{"the function threw: "} + thrown.what(), ""};
  } catch (...) {
    return error{error_code::internal, "the function threw something that is no std::exception", ""};
  }
}

}  // namespace

function_threads::~function_threads() {
  std::map<function_handle, std::jthread> rest;
  {
    const std::scoped_lock lock{guard_};
    rest.swap(running_);
    rest.merge(ended_);
  }
  for (auto& [handle, thread] : rest) {
    thread.request_stop();
  }
}  // jthread joins

function_handle function_threads::start(host_function function, function_request request, function_listener listener) {
  join_ended();
  const std::scoped_lock lock{guard_};
  const auto handle = next_++;
  running_[handle] = std::jthread{
      [this, handle, function = std::move(function), request = std::move(request), listener = std::move(listener)](
          const std::stop_token& stop) mutable {
        request.stop = stop;
        request.sleep = [stop](milliseconds length) { return sleep(stop, length); };
        request.progress = listener.progress;
        listener.ended(call(function, request));
        const std::scoped_lock relock{guard_};
        if (auto node = running_.extract(handle)) {
          ended_.insert(std::move(node));
        }
      }};
  return handle;
}

void function_threads::stop(function_handle which) {
  const std::scoped_lock lock{guard_};
  if (const auto found = running_.find(which); found != running_.end()) {
    found->second.request_stop();
  }
}

void function_threads::join_ended() {
  std::map<function_handle, std::jthread> over;
  {
    const std::scoped_lock lock{guard_};
    over.swap(ended_);
  }
}  // joined here, outside of the lock

}  // namespace troupe
