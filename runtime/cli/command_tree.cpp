#include "runtime/cli/command_tree.hpp"

#include <CLI/CLI.hpp>

#include <utility>

namespace troupe {

command_tree::command_tree() : root_(std::make_unique<CLI::App>("durable, supervised runs of many agents", "troupe")) {
  root_->require_subcommand(0, 1);
  root_->set_help_flag();
  add_common(*root_);
  root_->add_flag("--version", version_, "print the version and the commit that was built")->group("Options");
  examples_[root_.get()] = {"troupe run review.toml --input topic=parsers", "troupe show last", "troupe run --help"};
}

command_tree::~command_tree() = default;

CLI::App& command_tree::add(CLI::App& under, const command_text& text) {
  CLI::App& made = *under.add_subcommand(text.name, text.summary);
  made.set_help_flag();
  made.require_subcommand(0, 1);
  made.footer(text.details);
  add_common(made);
  examples_[&made] = text.examples;
  return made;
}

void command_tree::on(const CLI::App& command, command_action action) { actions_[&command] = std::move(action); }

const command_action* command_tree::action_of(const CLI::App& command) const {
  const auto found = actions_.find(&command);
  return found == actions_.end() ? nullptr : &found->second;
}

const std::vector<std::string>& command_tree::examples_of(const CLI::App& command) const {
  static const std::vector<std::string> none;
  const auto found = examples_.find(&command);
  return found == examples_.end() ? none : found->second;
}

void command_tree::add_common(CLI::App& command) {
  const char* group = "Common options";
  const auto add_text = [&](const char* name, std::optional<std::string>& target, const char* what) {
    command
        .add_option_function<std::string>(
            name, [&target](const std::string& given) { target = given; }, what)
        ->type_name(value_kind::file)
        ->group(group);
  };
  add_text("--config", common_.config_file, "read this file after the user's and the project's troupe.toml");
  add_text("--db", common_.database_file, "use this database (storage.path)");
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [this](const std::vector<std::string>& given) {
            common_.assignments.insert(common_.assignments.end(), given.begin(), given.end());
          },
          "set one key of the configuration, as writer.max_batch=64; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(group);
  const auto add_flag = [&](const char* names, bool& target, const char* what) {
    command
        .add_flag_callback(
            names, [&target] { target = true; }, what)
        ->group(group);
  };
  add_flag("--json", common_.json, "print JSON: one document, or one on each line where it streams");
  add_flag("-q,--quiet", common_.quiet, "print the data and nothing beside it");
  add_flag("-v,--verbose", common_.verbose, "tell more of what happens");
  add_flag("--no-color", common_.no_color, "print without colours, as with NO_COLOR in the environment");
  command.set_help_flag("-h,--help", "print this help")->group(group);
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + ' ' + command.get_name();
}

}  // namespace troupe
