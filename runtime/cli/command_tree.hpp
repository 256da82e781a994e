// The commands, with their options and their help: one tree, from which parsing, --help and completion are made.
#pragma once

#include "runtime/cli/context.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace troupe {

using command_action = std::function<exit_code(context&)>;

struct command_text {
  std::string name;
  std::string summary;                ///< What it does: a phrase that starts with a verb; one line.
  std::string details;                ///< More of it, below the summary; may be empty.
  std::vector<std::string> examples;  ///< Each a whole command line, first the most usual one.
};

/// What a value on the command line is, for help and completion.
namespace value_kind {
inline constexpr const char* workflow = "WORKFLOW";  ///< A file.
inline constexpr const char* run = "RUN";            ///< An id, a unique beginning of one, or `last`.
inline constexpr const char* file = "FILE";
inline constexpr const char* folder = "DIR";
}  // namespace value_kind

class command_tree {
 public:
  command_tree();
  ~command_tree();
  command_tree(const command_tree&) = delete;
  command_tree& operator=(const command_tree&) = delete;

  CLI::App& root() noexcept { return *root_; }
  const CLI::App& root() const noexcept { return *root_; }

  /// A command, with the common options; `under` a group or the root.
  CLI::App& add(CLI::App& under, const command_text& text);
  /// What it does once the command line is understood.
  void on(const CLI::App& command, command_action action);

  /// Null for a group.
  const command_action* action_of(const CLI::App& command) const;
  const std::vector<std::string>& examples_of(const CLI::App& command) const;
  const common_options& common() const noexcept { return common_; }
  bool wants_version() const noexcept { return version_; }

 private:
  void add_common(CLI::App& command);

  std::unique_ptr<CLI::App> root_;
  common_options common_;
  bool version_ = false;
  std::map<const CLI::App*, command_action> actions_;
  std::map<const CLI::App*, std::vector<std::string>> examples_;
};

/// Every command of this build, in the order of help.
void add_commands(command_tree& tree);

/// The text of --help for one command, a group or the root.
std::string help_text(const command_tree& tree, const CLI::App& command, int width, const style& look);

/// `troupe config show`
std::string full_name(const CLI::App& command);

}  // namespace troupe
