// troupe db migrate
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/os/host.hpp"
#include "runtime/os/system_clock.hpp"
#include "storage/lease.hpp"
#include "storage/migrations.hpp"

namespace troupe {
namespace {

std::string report_json(const std::string& path, const migration_report& report) {
  list_writer backups;
  for (const auto& each : report.backups) {
    backups.text(each.string());
  }
  return object_writer{}
      .text("path", path)
      .number("from", report.from)
      .number("to", report.to)
      .raw("backups", backups.str())
      .str();
}

std::string report_text(const migration_report& report, const style& look) {
  const std::string done = look.mark(sign::good) + ' ';
  if (report.from == report.to) {
    return done + "nothing to do: the database has schema " + std::to_string(report.to) + '\n';
  }
  std::string text =
      done + "schema " + std::to_string(report.from) + " is now schema " + std::to_string(report.to) + '\n';
  for (const auto& each : report.backups) {
    text += "  copy from before: " + each.string() + '\n';
  }
  return text;
}

exit_code bring_forward(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (const auto missing = missing_database(*with.settings())) {
    return refuse(with, *missing);
  }
  const auto storage = storage_of(*with.settings());
  const auto taken = lease::acquire(storage, {own_pid(), host_name(), system_clock{}.now()});
  if (!taken) {
    return refuse(with, taken.error());
  }
  if (with.options().json) {
    with.print_json(report_json(storage.path.string(), taken->migrated()));
  } else if (!with.options().quiet) {
    with.out().write(report_text(taken->migrated(), with.out().look()));
  }
  return exit_code::completed;
}

}  // namespace

void add_db_migrate(command_tree& tree, CLI::App& group) {
  tree.on(tree.add(group,
                   {.name = "migrate",
                    .summary = "bring an older database up to date, with a copy of it from before each step",
                    .details = "Any command that writes does the same by itself; this one does nothing else, and says "
                               "what it did. The copies stand beside the database and stay until you delete them.",
                    .examples = {"troupe db migrate", "troupe db migrate --db old.db --json"}}),
          bring_forward);
}

}  // namespace troupe
