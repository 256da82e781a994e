// What every command is given: the options that all of them have, the three streams, and the configuration.
#pragma once

#include "config/load.hpp"
#include "config/settings.hpp"
#include "runtime/cli/exit_code.hpp"
#include "runtime/cli/style.hpp"
#include "runtime/json/error_json.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The options of the contract that stand on every command.
struct common_options {
  std::optional<std::string> config_file;
  std::optional<std::string> database_file;
  std::vector<std::string> assignments;  ///< `--set KEY=VALUE`, in order.
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
};

/// Why a command does nothing, or stopped.
struct refusal {
  error what;
  error_place where;
  std::vector<problem> problems;  ///< Of a workflow or a configuration: printed each in its place of `what`.
};

/// One of stdout and stderr. A reader that goes away is no error: what follows is dropped.
class output {
 public:
  output(int descriptor, const std::map<std::string, std::string>& environment, bool no_color);

  void write(std::string_view text);
  void line(std::string_view text);

  bool is_terminal() const noexcept { return terminal_; }
  bool reader_gone() const noexcept { return gone_; }
  bool failed() const noexcept { return failed_; }  ///< The disk is full, for one: what was written is not whole.
  int descriptor() const noexcept { return descriptor_; }
  /// Of the window; 0 where there is none, so that nothing is cut.
  int width() const noexcept;
  const style& look() const noexcept { return look_; }

 private:
  int descriptor_;
  bool terminal_;
  bool gone_ = false;
  bool failed_ = false;
  style look_;
};

class context {
 public:
  context(const common_options& given, std::map<std::string, std::string> environment, std::string working_directory);

  const common_options& options() const noexcept { return options_; }
  const std::map<std::string, std::string>& environment() const noexcept { return environment_; }
  const std::string& working_directory() const noexcept { return working_directory_; }
  output& out() noexcept { return out_; }
  output& err() noexcept { return err_; }

  /// Reads the configuration, with `more` assignments after the user's own; warnings go to stderr. Afterwards
  /// `settings()` is there.
  std::optional<refusal> load(const std::vector<std::string>& more = {});
  /// The same from other sources: what a run was pinned to.
  std::optional<refusal> load(const config_sources& from);
  /// The same for a command that opens no database: there need not be a place for one.
  std::optional<refusal> load_without_database();
  /// Where load() reads.
  config_sources sources(const std::vector<std::string>& more = {}) const;

  const settings_ptr& settings() const noexcept { return config_.values; }
  const loaded_config& config() const noexcept { return config_; }

  /// One JSON document on stdout: over several lines where a person reads it, else on one.
  void print_json(std::string_view document);
  /// A word beside the data: on stderr, unless -q or --json.
  void note(std::string_view text);
  /// Each with its place, and its hint below; on stderr.
  void print(std::span<const problem> problems);
  /// With `warning:` before it; also with --json, since stdout stays clean.
  void warn(std::string_view text);

 private:
  const common_options& options_;
  std::map<std::string, std::string> environment_;
  std::string working_directory_;
  output out_;
  output err_;
  loaded_config config_;
};

/// Tells why, where the reader looks for it: stderr, or stdout with --json. The exit code that goes with it.
exit_code refuse(context& with, const refusal& why);
exit_code refuse(context& with, const error& what, const error_place& where = {});

/// A hint with the run and the step in the places of its words RUN and STEP, so that its commands can be copied.
std::string named_hint(std::string hint, const error_place& where);

}  // namespace troupe
