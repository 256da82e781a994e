#include "runtime/cli/arguments.hpp"

#include "config/problem.hpp"
#include "runtime/cli/command_tree.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& each : words) {
    text += (text.empty() ? "" : std::string{between}) + each;
  }
  return text;
}

/// An empty text passes; anything else is what is wrong.
std::string check_choice(const std::vector<std::string>& choices, const std::string& given) {
  if (std::ranges::find(choices, given) != choices.end()) {
    return {};
  }
  const auto near = nearest_name(given, choices);
  return "'" + given + "' is none of " + joined(choices, ", ") + (near ? "; did you mean '" + *near + "'?" : "");
}

std::string check_number(std::int64_t least, const std::string& given) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (fault == std::errc{} && end == given.data() + given.size() && number >= least) {
    return {};
  }
  return "'" + given + "' is not a whole number from " + std::to_string(least);
}

}  // namespace

void add_workflow_argument(CLI::App& command, std::string& target) {
  command.add_option("WORKFLOW", target, "workflow file (TOML)")->required()->type_name(value_kind::workflow);
}

void add_run_argument(CLI::App& command, std::string& target, bool required) {
  command.add_option("RUN", target, "id of a run, the beginning of one, or 'last'")
      ->required(required)
      ->type_name(value_kind::run);
}

CLI::Option& add_argument(CLI::App& command, const char* name, std::string& target, const char* what) {
  return *command.add_option(name, target, what)->required()->type_name(name);
}

CLI::Option& add_argument(CLI::App& command, const char* name, std::optional<std::string>& target, const char* what) {
  const auto take = [&target](const std::string& given) { target = given; };
  return *command.add_option_function<std::string>(name, take, what)->type_name(name);
}

CLI::Option& add_text(
    CLI::App& command, const char* names, std::optional<std::string>& target, const char* kind, const char* what) {
  const auto take = [&target](const std::string& given) { target = given; };
  return *command.add_option_function<std::string>(names, take, what)->type_name(kind);
}

CLI::Option& add_texts(
    CLI::App& command, const char* names, std::vector<std::string>& target, const char* kind, const char* what) {
  return *command.add_option(names, target, what)->type_name(kind)->allow_extra_args(false);
}

CLI::Option& add_choice(CLI::App& command,
                        const char* names,
                        std::optional<std::string>& target,
                        const std::vector<std::string>& choices,
                        const char* what) {
  CLI::Option& made = add_text(command, names, target, "", what);
  made.check([choices](const std::string& given) { return check_choice(choices, given); });
  made.type_name(joined(choices, "|"));
  return made;
}

CLI::Option& add_number(CLI::App& command,
                        const char* names,
                        std::int64_t& target,
                        std::int64_t least,
                        const char* kind,
                        const char* what) {
  CLI::Option& made = *command.add_option(names, target, what);
  made.check([least](const std::string& given) { return check_number(least, given); });
  made.type_name(kind);
  return made;
}

void set_kind(CLI::Option& option, const char* kind) { option.type_name(kind); }

CLI::Option& add_flag(CLI::App& command, const char* names, bool& target, const char* what) {
  return *command.add_flag_callback(
      names, [&target] { target = true; }, what);
}

}  // namespace troupe
