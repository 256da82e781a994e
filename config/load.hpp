// From files, environment and command line to one immutable `settings`. Reads the files it is given and nothing else:
// the environment is data, so that a test and a host can say what it is.
#pragma once

#include "config/adapters.hpp"
#include "config/problem.hpp"
#include "config/settings.hpp"
#include "config/source_map.hpp"
#include "messages/base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

struct config_file {
  std::string path;                 ///< Absolute. Relative paths inside count from its folder.
  std::optional<std::string> text;  ///< Its content; absent: it is read.
  bool required = false;            ///< Absent from disk: an error, or as if it were empty.
};

/// All that settings come from. Layers, later wins: defaults, files in order, environment, assignments in order.
struct config_sources {
  std::vector<config_file> files;
  std::map<std::string, std::string> environment;  ///< The whole one: also HOME and XDG_STATE_HOME count.
  std::vector<std::string> assignments;            ///< Of `--set`: `writer.max_batch=64`.
  std::string working_directory;                   ///< Absolute. Paths in environment and assignments count from it.
};

struct loaded_config {
  settings_ptr values;                         ///< Null exactly when one of the problems is an error.
  std::map<std::string, std::string> origins;  ///< Key to `default`, `/etc/x.toml:12`, `environment TROUPE_X`, `--set`.
  adapter_map adapters;                        ///< Built-in ones too, with what the layers changed of them.
  source_map positions;                        ///< Where each key that is not a default was set last.
  std::vector<problem> problems;               ///< In order of layer and place.
};

/// Blocks on reading the files. Any thread. Problems are INVALID_CONFIG.
loaded_config load_config(const config_sources& sources);

/// The files of the contract in their order: the user's ($XDG_CONFIG_HOME/troupe/troupe.toml, or below ~/.config), the
/// project's (`working_directory`/troupe.toml), and `explicit_file`, the only one that has to be there.
std::vector<config_file> find_config_files(const std::map<std::string, std::string>& environment,
                                           std::string_view working_directory,
                                           const std::optional<std::string>& explicit_file);

/// The `--set` assignments that make agent NAME a command, from `--agent NAME=COMMAND`. COMMAND is split into words as
/// a shell would (white space, quotes, backslash), with no other meaning: no variable, no pipe, no wildcard.
result<std::string> agent_assignment(std::string_view name_and_command);

/// The program that a start of the agent's command would find, as a path; nothing where there is none. Looked up in the
/// PATH that the agent is given, by `env` or by `pass_env` from `environment`. Reads the file system.
std::optional<std::string> program_of(const agent_spec& agent, const std::map<std::string, std::string>& environment);

/// Warnings for commands of agents that are not there: see program_of.
std::vector<problem> check_commands(const loaded_config& config, const std::map<std::string, std::string>& environment);

/// What agents need and is not there: check_commands, and keys of agents over HTTP that `environment` does not have.
std::vector<problem> check_needs(const loaded_config& config, const std::map<std::string, std::string>& environment);

}  // namespace troupe
