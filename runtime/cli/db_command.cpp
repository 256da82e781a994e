// troupe db: the group of its subcommands
#include "runtime/cli/commands.hpp"
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/stored_runs.hpp"

namespace troupe {

std::optional<error> missing_database(const settings& values) {
  auto stored = open_stored(values);
  return !stored && stored.error().code == error_code::not_found ? std::optional{stored.error()} : std::nullopt;
}

void add_db(command_tree& tree) {
  CLI::App& group = tree.add(tree.root(),
                             {.name = "db",
                              .summary = "look at the database, check it, keep it small and bring it forward",
                              .details = "",
                              .examples = {"troupe db info", "troupe db check --json", "troupe db backup monday.db"}});
  add_db_info(tree, group);
  add_db_check(tree, group);
  add_db_migrate(tree, group);
  add_db_backup(tree, group);
  add_db_import(tree, group);
  add_db_vacuum(tree, group);
}

}  // namespace troupe
