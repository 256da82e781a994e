#include "runtime/cli/completion.hpp"

#include <CLI/CLI.hpp>

#include <sstream>

namespace troupe {
namespace {

completed_value value_of(const std::string& kind) {
  if (kind == value_kind::run) {
    return {.kind = offer::runs, .words = {}};
  }
  if (kind == value_kind::file || kind == value_kind::folder || kind == value_kind::workflow) {
    return {.kind = offer::files, .words = {}};
  }
  if (kind.find('|') == std::string::npos) {
    return {};
  }
  completed_value value{.kind = offer::words, .words = {}};
  std::istringstream words{kind};
  for (std::string word; std::getline(words, word, '|');) {
    value.words.push_back(word);
  }
  return value;
}

completed_option option_of(const CLI::Option& option) {
  completed_option made;
  for (const std::string& each : option.get_snames()) {
    made.names.push_back("-" + each);
  }
  for (const std::string& each : option.get_lnames()) {
    made.names.push_back("--" + each);
  }
  made.summary = option.get_description();
  made.takes_value = option.get_items_expected_max() > 0;
  made.repeats = option.get_expected_max() > 1;
  made.value_name = option.get_positional() ? option.get_name(true) : option.get_type_name();
  made.value = made.takes_value ? value_of(option.get_type_name()) : completed_value{};
  return made;
}

}  // namespace

completed_command completed(const CLI::App& root) {
  completed_command made;
  made.path = root.get_parent() == nullptr ? std::string{} : full_name(root).substr(sizeof("troupe"));
  made.name = root.get_name();
  made.summary = root.get_description();
  for (const CLI::Option* each : root.get_options()) {
    (each->get_positional() ? made.arguments : made.options).push_back(option_of(*each));
  }
  for (const CLI::App* each : root.get_subcommands([](const CLI::App*) { return true; })) {
    made.commands.push_back(completed(*each));
  }
  return made;
}

}  // namespace troupe
