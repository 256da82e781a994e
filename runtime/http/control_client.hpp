// Asks the node that has a database, from another process.
#pragma once

#include "config/settings.hpp"
#include "messages/base/result.hpp"
#include "messages/control.hpp"
#include "messages/health.hpp"
#include "runtime/json/gate_json.hpp"
#include "runtime/json/limits_json.hpp"
#include "runtime/json/node_json.hpp"

#include <filesystem>
#include <optional>

namespace troupe {

/// Each blocks for some seconds at most. NOT_FOUND: no process has the database now, or it has no door (an older Troupe,
/// or a command as `db migrate`); STORAGE_UNAVAILABLE: it has one and does not answer.
result<node_tree> ask_tree(const std::filesystem::path& database);
result<health_view> ask_health(const std::filesystem::path& database);
result<told_limits> ask_limits(const std::filesystem::path& database);
result<told_faults> ask_faults(const std::filesystem::path& database);
status ask_log_level(const std::filesystem::path& database, log_level level);

/// As node::decide, of the node that has the database; its errors come as they are. None: nobody can be asked.
std::optional<result<gate_receipt>> ask_decision(const std::filesystem::path& database,
                                                 const run_id& run,
                                                 const asked_decision& asked);

/// As node::cancel. INVALID_INPUT: the run has ended. None: nobody can be asked.
std::optional<status> ask_cancel(const std::filesystem::path& database, const cancel_run& what);

}  // namespace troupe
