// The subcommands of troupe db: one function for each, which adds it to the group.
#pragma once

#include "config/settings.hpp"
#include "messages/base/error.hpp"
#include "runtime/cli/command_tree.hpp"

#include <optional>

namespace troupe {

void add_db_info(command_tree& tree, CLI::App& group);
void add_db_check(command_tree& tree, CLI::App& group);
void add_db_migrate(command_tree& tree, CLI::App& group);
void add_db_backup(command_tree& tree, CLI::App& group);
void add_db_import(command_tree& tree, CLI::App& group);
void add_db_vacuum(command_tree& tree, CLI::App& group);

/// NOT_FOUND where there is no database yet: asked before anything else, since that is no damaged one.
std::optional<error> missing_database(const settings& values);

}  // namespace troupe
