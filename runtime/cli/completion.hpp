// Scripts that teach a shell the commands and options of this build. Made from the tree, so that they never lag behind.
#pragma once

#include "runtime/cli/command_tree.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What a shell can offer for a value.
enum class offer { nothing, files, runs, words };

struct completed_value {
  offer kind = offer::nothing;
  std::vector<std::string> words;  ///< Of offer::words.
};

struct completed_option {
  std::vector<std::string> names;  ///< With their dashes.
  std::string summary;
  bool takes_value = false;
  bool repeats = false;
  std::string value_name;
  completed_value value;
};

/// One command with all that may follow it.
struct completed_command {
  std::string path;  ///< `config show`; empty for the root.
  std::string name;
  std::string summary;
  std::vector<completed_option> options;
  std::vector<completed_option> arguments;  ///< `value_name` and `value` alone.
  std::vector<completed_command> commands;
};

completed_command completed(const CLI::App& root);

std::string bash_completion(const completed_command& root);
std::string zsh_completion(const completed_command& root);
std::string fish_completion(const completed_command& root);

}  // namespace troupe
