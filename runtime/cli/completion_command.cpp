// troupe completion
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/completion.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace troupe {
namespace {

std::string script_for(const std::string& shell, const CLI::App& root) {
  const completed_command all = completed(root);
  if (shell == "bash") {
    return bash_completion(all);
  }
  return shell == "zsh" ? zsh_completion(all) : fish_completion(all);
}

}  // namespace

void add_completion(command_tree& tree) {
  auto shell = std::make_shared<std::optional<std::string>>();
  CLI::App& command =
      tree.add(tree.root(),
               {.name = "completion",
                .summary = "print a script that completes commands and options in your shell",
                .details = "",
                .examples = {"troupe completion bash > ~/.local/share/bash-completion/completions/troupe",
                             "troupe completion zsh > ~/.zfunc/_troupe",
                             "troupe completion fish > ~/.config/fish/completions/troupe.fish"}});
  add_choice(command, "SHELL", *shell, {"bash", "zsh", "fish"}, "bash, zsh or fish").required();
  tree.on(command, [shell, &tree](context& with) {
    with.out().write(script_for(shell->value_or("bash"), tree.root()));
    return exit_code::completed;
  });
}

}  // namespace troupe
