// Commands of agents: from `--agent NAME=COMMAND`, and whether they are there.
#include "config/http_agents.hpp"
#include "config/load.hpp"
#include "config/toml_text.hpp"
#include "config/toml_values.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

// Where a program is looked up that is given no PATH (runtime/os/custodian/keeper.cpp).
constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

// Words as a shell splits them (POSIX shell, 2.2 quoting), without any expansion.
class word_splitter {
 public:
  explicit word_splitter(std::string_view text) : rest_(text) {}

  result<std::vector<std::string>> split() {
    while (!rest_.empty()) {
      const char next = take();
      if (next == ' ' || next == '\t' || next == '\n') {
        end_word();
      } else if (!read(next)) {
        return error{error_code::invalid_input, "the command ends inside a quotation", "close the quotation mark"};
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  char take() {
    const char next = rest_.front();
    rest_.remove_prefix(1);
    return next;
  }

  bool read(char next) {
    in_word_ = true;
    if (next == '\'' || next == '"') {
      return read_quoted(next);
    }
    if (next == '\\' && rest_.empty()) {
      return false;
    }
    word_ += next == '\\' ? take() : next;
    return true;
  }

  bool read_quoted(char mark) {
    while (!rest_.empty()) {
      const char next = take();
      if (next == mark) {
        return true;
      }
      const bool escapes = mark == '"' && next == '\\' && !rest_.empty() && (rest_[0] == '"' || rest_[0] == '\\');
      word_ += escapes ? take() : next;
    }
    return false;
  }

  void end_word() {
    if (in_word_) {
      words_.push_back(std::exchange(word_, {}));
    }
    in_word_ = false;
  }

  std::string_view rest_;
  std::string word_;
  std::vector<std::string> words_;
  bool in_word_ = false;
};

// Whoever may execute it: whether we may is found out when it is started.
bool is_program(const std::string& path) {
  using std::filesystem::perms;
  std::error_code unknown;
  const auto file = std::filesystem::status(path, unknown);
  const auto executable = perms::owner_exec | perms::group_exec | perms::others_exec;
  return std::filesystem::is_regular_file(file) && (file.permissions() & executable) != perms::none;
}

std::optional<std::string> find_in_path(const std::string& program,
                                        std::string_view folders,
                                        const std::filesystem::path& working_directory) {
  while (true) {
    const auto cut = folders.find(':');
    if (auto path = (working_directory / folders.substr(0, cut) / program).string(); is_program(path)) {
      return path;
    }
    if (cut == std::string_view::npos) {
      return std::nullopt;
    }
    folders.remove_prefix(cut + 1);
  }
}

// PATH as the program will have it; absent if it has none.
std::optional<std::string> path_of(const agent_spec& agent, const std::map<std::string, std::string>& environment) {
  const std::string name = "PATH";
  if (const auto set = agent.environment.find(name); set != agent.environment.end()) {
    return set->second;
  }
  const auto& passed = agent.pass_environment;
  const auto ours = environment.find(name);
  const bool is_passed = std::find(passed.begin(), passed.end(), name) != passed.end() && ours != environment.end();
  return is_passed ? std::optional{ours->second} : std::nullopt;
}

}  // namespace

result<std::string> agent_assignment(std::string_view name_and_command) {
  const auto equals = name_and_command.find('=');
  const auto name = name_and_command.substr(0, equals);
  if (equals == std::string_view::npos || !is_name(name)) {
    return error{error_code::invalid_input,
                 "'" + std::string{name_and_command} + "' is not NAME=COMMAND",
                 "write --agent 'claude=claude -p'; " + std::string{name_rule}};
  }
  auto words = word_splitter{name_and_command.substr(equals + 1)}.split();
  if (!words) {
    return words.error();
  }
  if (words->empty() || words->front().empty()) {
    return error{error_code::invalid_input, "agent '" + std::string{name} + "' is given no command", {}};
  }
  return "agents." + std::string{name} + ".command=" + toml_value(toml_node{toml_list(words->begin(), words->end())});
}

std::optional<std::string> program_of(const agent_spec& agent, const std::map<std::string, std::string>& environment) {
  if (agent.kind != agent_kind::command || agent.command.empty()) {
    return std::nullopt;
  }
  const std::string& program = agent.command.front();
  if (program.find('/') != std::string::npos) {
    return is_program(program) ? std::optional{program} : std::nullopt;
  }
  const std::string folders = path_of(agent, environment).value_or(std::string{default_path});
  return find_in_path(program, folders, agent.working_directory);
}

std::vector<problem> check_commands(const loaded_config& config,
                                    const std::map<std::string, std::string>& environment) {
  std::vector<problem> found;
  if (config.values == nullptr) {
    return found;
  }
  for (const auto& [name, agent] : config.values->agents) {
    if (agent.kind != agent_kind::command || program_of(agent, environment)) {
      continue;
    }
    const std::string& program = agent.command.front();
    const bool has_slash = program.find('/') != std::string::npos;
    const auto path = path_of(agent, environment);
    const std::string folders = path.value_or(std::string{default_path});
    const std::string key = "agents." + name.str() + ".command";
    std::string way = path ? "install it, or write the whole path"
                           : "install it, write the whole path, or give it yours: pass_env = [\"PATH\"]";
    found.push_back(
        {problem::severity::warning,
         error_code::agent_not_found,
         config.positions.find(key),
         key,
         "agent '" + name.str() + "': there is no program '" + program + "'",
         has_slash ? "check the path, and that the file may be executed" : way.append("; looked in PATH=" + folders)});
  }
  return found;
}

std::vector<problem> check_needs(const loaded_config& config, const std::map<std::string, std::string>& environment) {
  auto found = check_commands(config, environment);
  auto keys = check_keys(config, environment);
  std::move(keys.begin(), keys.end(), std::back_inserter(found));
  return found;
}

}  // namespace troupe
