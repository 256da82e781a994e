#include "runtime/cli/command_line.hpp"

#include "runtime/cli/command_tree.hpp"
#include "runtime/cli/usage_error.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/os/host.hpp"
#include "runtime/os/terminal.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace troupe {
namespace {

exit_code print_version(context& with) {
  if (with.options().json) {
    with.print_json(object_writer{}.text("version", version).text("revision", build_revision()).str());
  } else {
    with.out().line("troupe " + std::string{version} + " (" + std::string{build_revision()} + ')');
  }
  return exit_code::completed;
}

exit_code print_help(const command_tree& tree, output& to) {
  to.write(help_text(tree, named_command(tree), to.width(), to.look()));
  return exit_code::completed;
}

exit_code act(const command_tree& tree, context& with) {
  if (tree.wants_version()) {
    return print_version(with);
  }
  const command_action* action = tree.action_of(named_command(tree));
  if (action == nullptr && with.options().json) {
    return refuse(with,
                  {.code = error_code::invalid_input,
                   .message = "no command is named",
                   .hint = full_name(named_command(tree)) + " --help lists what there is"});
  }
  if (action == nullptr) {
    print_help(tree, with.err());
    return exit_code::usage;
  }
  return (*action)(with);
}

exit_code act_safely(const command_tree& tree, context& with) {
  try {
    return act(tree, with);
  } catch (const std::exception& bug) {
    return refuse(with,
                  {.code = error_code::internal,
                   .message = std::string{"this is a bug in troupe: "} + bug.what(),
                   .hint = "what was committed is safe; troupe doctor looks at the rest"});
  }
}

/// Options count only once the whole command line is understood; how to print an error has to be known before.
common_options as_far_as_seen(const common_options& parsed, std::span<const char* const> arguments) {
  common_options seen = parsed;
  const auto has = [&](std::string_view flag) { return std::ranges::find(arguments, flag) != arguments.end(); };
  seen.json = seen.json || has("--json");
  seen.no_color = seen.no_color || has("--no-color");
  return seen;
}

exit_code parse_and_act(command_tree& tree, int count, const char* const* arguments) {
  std::error_code unknown;
  const std::string folder = std::filesystem::current_path(unknown).string();
  const common_options early = as_far_as_seen(tree.common(), {arguments, static_cast<std::size_t>(count)});
  try {
    tree.root().parse(count, arguments);
  } catch (const CLI::CallForHelp& thrown) {
    context with{early, host_environment(), folder};
    return has_left_over(tree) ? refuse(with, usage_error(tree, thrown)) : print_help(tree, with.out());
  } catch (const CLI::ParseError& thrown) {
    context with{early, host_environment(), folder};
    return refuse(with, usage_error(tree, thrown));
  }
  context with{tree.common(), host_environment(), folder};
  const exit_code code = act_safely(tree, with);
  if (with.out().failed()) {
    with.err().line("error: not everything could be written to standard output");
    return code == exit_code::completed ? exit_code::storage : code;
  }
  return code;
}

}  // namespace

int run_command_line(int count, const char* const* arguments) {
  ignore_broken_pipes();
  command_tree tree;
  add_commands(tree);
  // `troupe help run` is what many try first.
  std::vector<const char*> words{arguments, arguments + count};
  if (count > 1 && std::string_view{words[1]} == "help") {
    words.erase(words.begin() + 1);
    words.push_back("--help");
  }
  return static_cast<int>(parse_and_act(tree, static_cast<int>(words.size()), words.data()));
}

}  // namespace troupe
