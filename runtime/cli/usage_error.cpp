#include "runtime/cli/usage_error.hpp"

#include "config/problem.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe {
namespace {

error refused(std::string message, std::string hint) {
  return {.code = error_code::invalid_input, .message = std::move(message), .hint = std::move(hint)};
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* each : command.get_options()) {
    for (const std::string& name : each->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

std::string see_help(const CLI::App& command) { return full_name(command) + " --help lists what there is"; }

/// `did you mean '--json'?`, or where to look.
std::string nearest_or_help(std::string_view name, const std::vector<std::string>& known, const CLI::App& command) {
  const auto near = nearest_name(name, known);
  return near ? "did you mean '" + *near + "'?" : see_help(command);
}

/// The first word that no command took.
std::string first_left_over(const command_tree& tree) {
  const CLI::App* command = &tree.root();
  for (;;) {
    const auto left = command->remaining(false);
    const auto word = std::ranges::find_if(left, [](const std::string& each) { return each != "--"; });
    if (word != left.end()) {
      return *word;
    }
    const auto next = command->get_subcommands();
    if (next.empty()) {
      return {};
    }
    command = next.front();
  }
}

error unknown_word(const command_tree& tree, const std::string& word) {
  const CLI::App& command = named_command(tree);
  if (word.starts_with('-')) {
    const std::string name = word.substr(0, word.find('='));
    return refused(full_name(command) + " has no option '" + name + "'",
                   nearest_or_help(name, option_names(command), command));
  }
  if (tree.action_of(command) == nullptr) {
    return refused("there is no command '" + full_name(command) + ' ' + word + '\'',
                   nearest_or_help(word, command_names(command), command));
  }
  return refused("'" + word + "' is one argument too many", "usage: " + usage_line(tree, command));
}

/// CLI11 says "WORKFLOW is required" and the like: true, and enough with the usage beside it.
std::string own_words(const CLI::ParseError& thrown) {
  std::string text = thrown.what();
  constexpr std::string_view conversion = "Could not convert: ";
  if (text.starts_with(conversion)) {
    text = text.substr(conversion.size());
    const std::size_t equals = text.find(" = ");
    return equals == std::string::npos ? text
                                       : text.substr(0, equals) + " cannot be '" + text.substr(equals + 3) + '\'';
  }
  if (const std::size_t at = text.find(" is required"); at != std::string::npos) {
    return text.substr(0, at) + " is missing";
  }
  if (const std::size_t at = text.find(": 1 required "); at != std::string::npos) {
    const std::size_t kind = text.find(" missing", at);
    return text.substr(0, at) + " takes " + text.substr(at + 13, kind - at - 13);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

const CLI::App& named_command(const command_tree& tree) {
  const CLI::App* command = &tree.root();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
  }
  return *command;
}

bool has_left_over(const command_tree& tree) { return !first_left_over(tree).empty(); }

error usage_error(const command_tree& tree, const CLI::ParseError& thrown) {
  if (const std::string word = first_left_over(tree); !word.empty()) {
    return unknown_word(tree, word);
  }
  return refused(own_words(thrown), "usage: " + usage_line(tree, named_command(tree)));
}

std::string usage_line(const command_tree& tree, const CLI::App& command) {
  std::string usage = full_name(command);
  if (tree.action_of(command) == nullptr) {
    return usage + " COMMAND [OPTIONS]";
  }
  for (const CLI::Option* each : command.get_options()) {
    if (each->get_positional()) {
      const std::string name = each->get_name(true);
      usage += each->get_required() ? ' ' + name : " [" + name + ']';
    }
  }
  return usage + " [OPTIONS]";
}

}  // namespace troupe
