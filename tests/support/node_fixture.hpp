// A whole node in this process, on a database in a temporary folder.
#pragma once

#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "runtime/node.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// Collects what a run tells, and lets a test wait for it.
class run_recorder {
 public:
  run_listener listener();

  /// True once an event of this kind has come (for this step, if named). False when `patience` is over.
  bool wait_for(event_kind kind,
                const std::string& step = "",
                std::chrono::seconds patience = std::chrono::seconds{30});
  /// True once the run has ended or stopped.
  bool wait_for_end(std::chrono::seconds patience = std::chrono::seconds{30});

  event_batch events() const;
  std::vector<std::string> kinds() const;
  std::vector<task_progress> progress() const;
  std::optional<error> stopped() const;

 private:
  struct shared {
    std::mutex guard;
    std::condition_variable changed;
    event_batch events;
    std::vector<task_progress> progress;
    std::optional<error> stopped;
  };
  std::shared_ptr<shared> shared_ = std::make_shared<shared>();
};

class node_fixture : public ::testing::Test {
 protected:
  /// `config` is TOML; storage.path and runtime.custodian are added.
  std::unique_ptr<node> start_node(const std::string& config = "", function_table functions = {});
  /// On a database of its own: what was there is gone. No node is running.
  std::unique_ptr<node> start_node_anew(const std::string& config, function_table functions);
  std::unique_ptr<node> start_node_again() { return start_node(config_, functions_); }

  static workflow_ptr flow(const std::string& toml);

  /// Submits and waits for the end.
  run_view run_to_end(node& in, const std::string& toml, const std::string& inputs = "{}");

  std::string database_path() const { return folder_.path() / "troupe.db"; }

  temporary_folder folder_;
  run_recorder recorder_;

 private:
  std::string config_;
  function_table functions_;
};

}  // namespace troupe
