// The real program, started in a folder of its own as a shell would start it: what it printed, and how it ended.
#pragma once

#include "storage/read_session.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

using words = std::vector<std::string>;
using variables = std::map<std::string, std::string>;

struct cli_result {
  int code = -1;    ///< The exit code; of a signal, 128 and its number, as shells say it.
  std::string out;  ///< On a terminal, both streams.
  std::string err;
};

struct cli_call {
  words command;
  variables environment;
  std::string folder;
  std::string input;
  bool terminal = false;  ///< stdout and stderr are one terminal, 100 columns wide.
};

/// A program that runs. What it prints is read while the test waits; where a wait takes too long, the test fails and the
/// program is killed.
class cli_process {
 public:
  explicit cli_process(const cli_call& what);
  cli_process(const cli_process&) = delete;
  cli_process& operator=(const cli_process&) = delete;
  ~cli_process();  ///< Kills what still runs.

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  /// Until `text` stands in what it printed. False, and a failure, where it ended without.
  bool wait_for(std::string_view text);
  /// Until it has ended, and nobody holds its streams any more.
  cli_result wait();

 private:
  struct stream {
    int descriptor = -1;
    std::string bytes;
  };

  void spawn(const cli_call& what, int standard_input, int standard_output, int standard_error);
  bool exchange();
  void write_input();
  static void read_from(stream& from);

  pid_t pid_ = -1;
  bool reaped_ = false;
  int input_ = -1;
  std::string to_write_;
  std::size_t written_ = 0;
  stream out_;
  stream err_;
  std::chrono::steady_clock::time_point deadline_;
};

/// Holds an agent back until the test lets it go.
class latch {
 public:
  explicit latch(std::string path);
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;
  ~latch();

  /// For [agents.NAME]: prints `go` once it is let go.
  std::string command() const;
  void let_go() const;

 private:
  std::string path_;
  int descriptor_;
};

class cli_fixture : public ::testing::Test {
 protected:
  cli_result run(const words& arguments, const variables& more = {}, std::string input = {}) const;
  cli_result run_on_terminal(const words& arguments, const variables& more = {}) const;
  /// Another program, as a shell; it finds troupe in its PATH.
  cli_result run_program(words command, std::string input = {}) const;
  cli_process start(const words& arguments, const variables& more = {}) const;
  cli_process start_on_terminal(const words& arguments) const;

  /// Into the folder that programs start in. Gives the name back.
  std::string write(const std::string& name, std::string_view text) const;
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string database_path() const { return folder_ / "state/troupe/troupe.db"; }

  /// For [agents.NAME]: a scripted child.
  static std::string scripted(const words& script);

  std::unique_ptr<read_session> stored() const;
  run_view run_of(const std::string& id) const;
  std::vector<task_view> tasks_of(const std::string& id) const;
  /// In the order in which they were begun.
  std::vector<run_view> child_runs_of(const std::string& id) const;

 private:
  cli_call call(words command, const variables& more) const;

  temporary_folder folder_;
};

/// Of an output that is one JSON document on one line, and nothing else; anything else is a failure, and null.
boost::json::value json_of(const std::string& out);
/// Of an output that is one JSON document on each line.
std::vector<boost::json::value> json_lines_of(const std::string& out);
/// What a JSON pointer leads to: a text as it is, anything else as JSON; `nothing` where there is none.
std::string at(const boost::json::value& document, std::string_view pointer);

}  // namespace troupe
