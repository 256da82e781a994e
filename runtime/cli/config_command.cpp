// troupe config
#include "config/reference.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/indented.hpp"
#include "runtime/json/json_writer.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace troupe {
namespace {

struct init_options {
  std::optional<std::string> file;
  bool force = false;
};

std::string settings_json(const std::vector<shown_setting>& all) {
  object_writer keys;
  for (const shown_setting& each : all) {
    keys.raw(each.key, object_writer{}.raw("value", each.json).text("origin", each.origin).str());
  }
  return object_writer{}.raw("settings", keys.str()).str();
}

exit_code show(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const std::vector<shown_setting> all = show_settings(with.config());
  if (with.options().json) {
    with.print_json(settings_json(all));
    return exit_code::completed;
  }
  output& out = with.out();
  table rows{{{.title = "KEY", .right = false, .shrinks = false},
              {.title = "VALUE", .right = false, .shrinks = true},
              {.title = "ORIGIN", .right = false, .shrinks = true}}};
  for (const shown_setting& each : all) {
    const bool is_default = each.origin == "default";
    if (is_default && with.options().quiet) {
      continue;
    }
    const ink tone = is_default ? ink::dim : ink::plain;
    rows.add({out.look().paint(tone, each.key), each.value, out.look().paint(tone, each.origin)});
  }
  if (!rows.empty()) {
    out.write(rows.text(out.width(), out.look()));
  }
  return exit_code::completed;
}

exit_code check(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const std::vector<problem> missing = check_needs(with.config(), with.environment());
  if (with.options().json) {
    std::vector<problem> all = with.config().problems;
    all.insert(all.end(), missing.begin(), missing.end());
    with.print_json(object_writer{}.boolean("valid", true).raw("problems", problems_json(all)).str());
    return exit_code::completed;
  }
  with.print(missing);
  if (!with.options().quiet) {
    with.out().line(with.out().look().mark(sign::good) + " the configuration is valid");
  }
  return exit_code::completed;
}

error cannot_write(const std::string& path) {
  return {.code = error_code::storage_unavailable,
          .message = "cannot write " + path,
          .hint = "is there such a folder, and may you write to it?"};
}

exit_code init(context& with, const init_options& options) {
  const std::string path = options.file.value_or("troupe.toml");
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown) && !options.force) {
    return refuse(with,
                  {.code = error_code::duplicate_id,
                   .message = path + " is there already; it was left as it is",
                   .hint = "--force writes over it"});
  }
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << reference_toml();
  file.close();
  if (!file) {
    return refuse(with, cannot_write(path));
  }
  if (with.options().json) {
    with.print_json(object_writer{}.text("file", path).str());
  } else {
    with.note("wrote " + path + ": every key with its default, commented out");
  }
  return exit_code::completed;
}

exit_code schema(context& with) {
  const std::string text = config_schema().str();
  with.out().line(with.options().json ? text : indented(text));
  return exit_code::completed;
}

void add_init(command_tree& tree, CLI::App& group) {
  auto options = std::make_shared<init_options>();
  CLI::App& command =
      tree.add(group,
               {.name = "init",
                .summary = "write a troupe.toml with every key, commented out, with its default and what it does",
                .details = "",
                .examples = {"troupe config init", "troupe config init ~/.config/troupe/troupe.toml --force"}});
  CLI::Option& file = add_argument(command, "FILE", options->file, "where to [troupe.toml in this folder]");
  set_kind(file, value_kind::file);
  add_flag(command, "--force", options->force, "write over a file that is there");
  tree.on(command, [options](context& with) { return init(with, *options); });
}

}  // namespace

void add_config(command_tree& tree) {
  CLI::App& group = tree.add(
      tree.root(),
      {.name = "config",
       .summary = "show, check or begin a configuration",
       .details =
           "Layers, later wins: defaults, the user's file, the project's troupe.toml, --config, environment, --set.",
       .examples = {"troupe config show", "troupe config init"}});
  tree.on(tree.add(group,
                   {.name = "show",
                    .summary = "print every key with its value and where that came from",
                    .details = "With -q only what is not a default.",
                    .examples = {"troupe config show", "troupe config show --set writer.max_batch=64 -q"}}),
          show);
  tree.on(tree.add(group,
                   {.name = "check",
                    .summary = "look for mistakes in the configuration, and for programs that are not there",
                    .details = "",
                    .examples = {"troupe config check", "troupe config check --config review.config.toml"}}),
          check);
  add_init(tree, group);
  tree.on(tree.add(group,
                   {.name = "schema",
                    .summary = "print a JSON Schema of troupe.toml, for editors",
                    .details = "",
                    .examples = {"troupe config schema > troupe.schema.json"}}),
          schema);
}

}  // namespace troupe
