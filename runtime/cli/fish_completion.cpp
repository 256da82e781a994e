#include "runtime/cli/completion.hpp"

namespace troupe {
namespace {

std::string quoted(const std::string& text) {
  std::string safe = "'";
  for (const char each : text) {
    safe += each == '\'' || each == '\\' ? "\\" : "";
    safe += each;
  }
  return safe + '\'';
}

std::string value_part(const completed_value& value) {
  switch (value.kind) {
    case offer::nothing:
      return " -x";
    case offer::files:
      return " -r -F";
    case offer::runs:
      return " -x -a '(__troupe_runs)'";
    case offer::words: {
      std::string words;
      for (const std::string& each : value.words) {
        words += (words.empty() ? "" : " ") + each;
      }
      return " -x -a " + quoted(words);
    }
  }
  return " -x";
}

void add_paths(std::string& paths, const completed_command& command) {
  if (!command.path.empty()) {
    paths += ' ' + quoted(command.path);
  }
  for (const completed_command& each : command.commands) {
    add_paths(paths, each);
  }
}

void add_lines(std::string& text, const completed_command& command) {
  const std::string here = "complete -c troupe -n " + quoted("__troupe_at " + quoted(command.path));
  for (const completed_command& each : command.commands) {
    text += here + " -f -a " + each.name + " -d " + quoted(each.summary) + '\n';
  }
  for (const completed_option& option : command.options) {
    text += here;
    for (const std::string& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    text += " -d " + quoted(option.summary) + (option.takes_value ? value_part(option.value) : "") + '\n';
  }
  for (const completed_option& argument : command.arguments) {
    if (argument.value.kind != offer::nothing) {
      text += here + value_part(argument.value) + '\n';
    }
  }
  for (const completed_command& each : command.commands) {
    add_lines(text, each);
  }
}

}  // namespace

std::string fish_completion(const completed_command& root) {
  std::string paths;
  add_paths(paths, root);
  std::string text =
      "# fish completion for troupe: troupe completion fish > ~/.config/fish/completions/troupe.fish\n\n"
      "function __troupe_runs\n  echo last\n  troupe runs -q 2>/dev/null\nend\n\n"
      "function __troupe_at\n  set -l words (commandline -opc)\n  set -e words[1]\n  set -l path\n"
      "  for word in $words\n    if contains -- (string join ' ' -- $path $word)" +
      paths +
      "\n      set path $path $word\n    end\n  end\n"
      "  set -l joined (string join ' ' -- $path)\n  test \"$joined\" = $argv[1]\nend\n\n"
      "complete -c troupe -f\n";
  add_lines(text, root);
  return text;
}

}  // namespace troupe
