// troupe completion
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/completion.hpp"
#include "runtime/json/json_writer.hpp"

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
    const std::string name = shell->value_or("bash");
    const std::string script = script_for(name, tree.root());
    if (with.options().json) {
      with.print_json(object_writer{}.text("shell", name).text("script", script).str());
    } else {
      with.out().write(script);
    }
    return exit_code::completed;
  });
}

}  // namespace troupe
