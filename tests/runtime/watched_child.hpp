// What tests of the reactor share: a child whose callbacks are recorded.
#pragma once

#include "actors/agent/process_port.hpp"
#include "tests/support/processes.hpp"

#include <chrono>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Records what a listener is told. Its members may be read after a wait that covers them.
class watched_child {
 public:
  std::vector<std::string> order;  ///< Names of the callbacks as they came; progress only once.
  process_identity identity;
  process_exit exit;
  process_end end;
  std::chrono::steady_clock::time_point exited_at;
  std::chrono::steady_clock::time_point ended_at;
  int limits_told = 0;
  int progress_told = 0;

  static process_listener listener(const std::shared_ptr<watched_child>& self) {
    process_listener all;
    all.started = [self](process_identity who) { self->note("started", [&] { self->identity = who; }); };
    all.progress = [self](const std::string& line, std::int64_t bytes) {
      self->note("", [&] { self->last_line_ = line, self->bytes_ = bytes, ++self->progress_told; });
    };
    all.silent = [self](process_silence seen) { self->note("", [&] { self->silences_.push_back(seen); }); };
    all.output_limit_reached = [self] { self->note("limit", [&] { ++self->limits_told; }); };
    all.exited = [self](const process_exit& how) {
      self->note("exited", [&] { self->exit = how, self->exited_at = std::chrono::steady_clock::now(); });
    };
    all.ended = [self](process_end all_of_it) {
      self->note("ended", [&] { self->end = std::move(all_of_it), self->ended_at = std::chrono::steady_clock::now(); });
    };
    return all;
  }

  bool wait_for(const std::string& name, std::chrono::milliseconds patience = test_patience) {
    return wait([&] { return has(name); }, patience);
  }
  /// That the child printed as much: how a test knows that it is as far as that.
  bool wait_for_bytes(std::int64_t bytes) {
    return wait([&] { return bytes_ >= bytes; }, test_patience);
  }
  bool wait_for_silences(std::size_t count) {
    return wait([&] { return silences_.size() >= count; }, test_patience);
  }
  std::vector<process_silence> silences() {
    const std::scoped_lock lock{guard_};
    return silences_;
  }
  bool was_told(const std::string& name) {
    const std::scoped_lock lock{guard_};
    return has(name);
  }
  std::string last_line() {
    const std::scoped_lock lock{guard_};
    return last_line_;
  }

 private:
  template <class Change>
  void note(const char* name, Change change) {
    const std::scoped_lock lock{guard_};
    if (*name != '\0') {
      order.emplace_back(name);
    }
    change();
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition, std::chrono::milliseconds patience) {
    std::unique_lock lock{guard_};
    return changed_.wait_for(lock, patience, condition);
  }
  bool has(const std::string& name) const {
    for (const auto& told : order) {
      if (told == name) {
        return true;
      }
    }
    return false;
  }

  std::mutex guard_;
  std::condition_variable changed_;
  std::string last_line_;
  std::int64_t bytes_ = 0;
  std::vector<process_silence> silences_;
};

using child_record = std::shared_ptr<watched_child>;

inline process_request scripted(std::vector<std::string> script) {
  process_request what;
  what.argv = {TROUPE_SCRIPTED_CHILD_PATH};
  what.argv.insert(what.argv.end(), std::make_move_iterator(script.begin()), std::make_move_iterator(script.end()));
  return what;
}

inline std::pair<process_handle, child_record> start(process_port& port, process_request what) {
  const auto child = std::make_shared<watched_child>();
  const auto handle = port.start(std::move(what), watched_child::listener(child));
  return {handle, child};
}

/// Runs to the end; throws where that takes too long.
inline child_record run(process_port& port, process_request what) {
  const auto child = start(port, std::move(what)).second;
  if (!child->wait_for("ended")) {
    throw std::runtime_error{"the process did not end"};
  }
  return child;
}

}  // namespace troupe
