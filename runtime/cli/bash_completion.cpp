#include "runtime/cli/completion.hpp"

namespace troupe {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& each : words) {
    text += (text.empty() ? "" : " ") + each;
  }
  return text;
}

/// The line of a shell script that fills COMPREPLY.
std::string offer_line(const completed_value& value) {
  switch (value.kind) {
    case offer::nothing:
      return ":";
    case offer::files:
      return "_troupe_files";
    case offer::runs:
      return "_troupe_runs";
    case offer::words:
      return "_troupe_words '" + joined(value.words) + '\'';
  }
  return ":";
}

void for_each_command(const completed_command& at, const auto& visit) {
  visit(at);
  for (const completed_command& each : at.commands) {
    for_each_command(each, visit);
  }
}

class bash_script {
 public:
  explicit bash_script(const completed_command& root) {
    for_each_command(root, [this](const completed_command& each) { add(each); });
  }

  std::string text() const {
    return "# bash completion for troupe: source <(troupe completion bash)\n" + std::string{helpers} +
           "\n_troupe() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 i\n"
           "  COMPREPLY=()\n"
           "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "    case \"$command:${COMP_WORDS[i]}\" in\n" +
           steps_ + "      *:-*) ;;\n      *) ((place += 1)) ;;\n    esac\n  done\n" +
           "  case \"$command:$before\" in\n" + values_ + "  esac\n" +
           "  if [[ $word == -* ]]; then\n    case \"$command\" in\n" + options_ + "    esac\n    return\n  fi\n" +
           "  case \"$command:$place\" in\n" + arguments_ + "  esac\n}\n\ncomplete -F _troupe troupe\n";
  }

 private:
  void add(const completed_command& command) {
    std::vector<std::string> option_names;
    for (const completed_option& option : command.options) {
      for (const std::string& name : option.names) {
        option_names.push_back(name);
        if (option.takes_value) {
          const std::string pattern = '\'' + command.path + ':' + name + '\'';
          steps_ += "      " + pattern + ") ((i += 1)) ;;\n";
          values_ += "    " + pattern + ") " + offer_line(option.value) + "; return ;;\n";
        }
      }
    }
    options_ += "      '" + command.path + "') _troupe_words '" + joined(option_names) + "' ;;\n";
    std::vector<std::string> commands;
    for (const completed_command& each : command.commands) {
      commands.push_back(each.name);
      steps_ += "      '" + command.path + ':' + each.name + "') command='" + each.path + "' place=0 ;;\n";
    }
    if (!commands.empty()) {
      arguments_ += "    '" + command.path + ":0') _troupe_words '" + joined(commands) + "' ;;\n";
    }
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      arguments_ +=
          "    '" + command.path + ':' + std::to_string(i) + "') " + offer_line(command.arguments[i].value) + " ;;\n";
    }
  }

  static constexpr std::string_view helpers = R"script(
_troupe_lines() { while IFS= read -r line; do COMPREPLY+=("$line"); done; }
_troupe_words() { local line; _troupe_lines < <(compgen -W "$1" -- "$word"); }
_troupe_runs() { _troupe_words "last $(troupe runs -q 2>/dev/null)"; }
_troupe_files() { local line; compopt -o filenames 2>/dev/null; _troupe_lines < <(compgen -f -- "$word"); }
)script";

  std::string steps_;
  std::string values_;
  std::string options_;
  std::string arguments_;
};

}  // namespace

std::string bash_completion(const completed_command& root) { return bash_script{root}.text(); }

}  // namespace troupe
