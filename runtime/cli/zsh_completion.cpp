#include "runtime/cli/completion.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// Inside single quotes, with what _arguments gives a meaning to made plain.
std::string plain(const std::string& text) {
  std::string safe;
  for (const char each : text) {
    if (each == '\'') {
      safe += "'\\''";
      continue;
    }
    safe += each == '[' || each == ']' || each == ':' || each == '\\' ? "\\" : "";
    safe += each;
  }
  return safe;
}

std::string action_of(const completed_value& value) {
  switch (value.kind) {
    case offer::nothing:
      return " ";
    case offer::files:
      return "_files";
    case offer::runs:
      return "_troupe_runs";
    case offer::words: {
      std::string words;
      for (const std::string& each : value.words) {
        words += (words.empty() ? "(" : " ") + each;
      }
      return words + ')';
    }
  }
  return " ";
}

std::string function_name(const completed_command& command) {
  std::string name = command.path.empty() ? "_troupe" : "_troupe_" + command.path;
  std::ranges::replace(name, ' ', '_');
  return name == "_troupe_runs" ? "_troupe_list_runs" : name;
}

std::string option_spec(const completed_option& option) {
  std::string names;
  std::string others;
  for (const std::string& each : option.names) {
    names += (names.empty() ? "" : ",") + each;
    others += (others.empty() ? "" : " ") + each;
  }
  const std::string value =
      option.takes_value ? ':' + plain(option.value_name) + ':' + action_of(option.value) : std::string{};
  const std::string tail = "'[" + plain(option.summary) + ']' + value + "'";
  if (option.names.size() == 1) {
    return (option.repeats ? "'*'" : "") + names + tail;
  }
  return "'(" + others + ")'{" + names + '}' + tail;
}

std::string arguments_text(const completed_command& command) {
  std::string text = "  _arguments -S";
  for (const completed_option& option : command.options) {
    text += " \\\n    " + option_spec(option);
  }
  for (std::size_t i = 0; i < command.arguments.size(); ++i) {
    const completed_option& argument = command.arguments[i];
    text += " \\\n    '" + std::to_string(i + 1) + ':' + plain(argument.value_name) + ':' + action_of(argument.value) +
            '\'';
  }
  return text;
}

std::string group_text(const completed_command& command) {
  std::string text = "  local line state\n" + arguments_text(command);
  text.replace(text.find("-S"), 2, "-C");
  text += " \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n  case $state in\n    command)\n";
  text += "      local -a commands=(\n";
  for (const completed_command& each : command.commands) {
    text += "        '" + each.name + ':' + plain(each.summary) + "'\n";
  }
  text += "      )\n      _describe command commands\n      ;;\n    argument)\n      case $line[1] in\n";
  for (const completed_command& each : command.commands) {
    text += "        " + each.name + ") " + function_name(each) + " ;;\n";
  }
  return text + "      esac\n      ;;\n  esac\n";
}

void add_functions(std::string& text, const completed_command& command) {
  text += "\n" + function_name(command) + "() {\n";
  text += command.commands.empty() ? arguments_text(command) + '\n' : group_text(command);
  text += "}\n";
  for (const completed_command& each : command.commands) {
    add_functions(text, each);
  }
}

}  // namespace

std::string zsh_completion(const completed_command& root) {
  std::string text =
      "#compdef troupe\n# zsh completion for troupe: troupe completion zsh > \"${fpath[1]}/_troupe\"\n\n"
      "_troupe_runs() {\n  local -a runs=(last ${(f)\"$(troupe runs -q 2>/dev/null)\"})\n  compadd -a runs\n}\n";
  add_functions(text, root);
  return text + "\nif [[ $funcstack[1] == _troupe ]]; then\n  _troupe \"$@\"\nelse\n  compdef _troupe troupe\nfi\n";
}

}  // namespace troupe
