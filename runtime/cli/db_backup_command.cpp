// troupe db backup
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"
#include "storage/check.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace troupe {
namespace {

exit_code backup(context& with, const std::string& target) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (const auto missing = missing_database(*with.settings())) {
    return refuse(with, *missing);
  }
  const auto path = std::filesystem::absolute(target).lexically_normal();
  const auto begun = std::chrono::steady_clock::now();
  if (const auto copied = backup_database(storage_of(*with.settings()), path); !copied) {
    return refuse(with, copied.error());
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  std::error_code unknown;
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, unknown));
  if (with.options().json) {
    with.print_json(object_writer{}
                        .text("path", path.string())
                        .number("bytes", bytes)
                        .number("duration_ms", std::chrono::duration_cast<milliseconds>(took).count())
                        .str());
  } else if (!with.options().quiet) {
    with.out().line(with.out().look().mark(sign::good) + ' ' + path.string() + ": " + human_bytes(bytes) +
                    ", checked, in " + human_duration(took));
  }
  return exit_code::completed;
}

}  // namespace

void add_db_backup(command_tree& tree, CLI::App& group) {
  auto target = std::make_shared<std::string>();
  CLI::App& command = tree.add(
      group,
      {.name = "backup",
       .summary = "make a copy of the database, while it is in use",
       .details =
           "The copy is what was committed at one moment; runs go on meanwhile. It is read back and checked, and "
           "synced, before it gets its name. A file that is there already is never overwritten.",
       .examples = {"troupe db backup monday.db", "troupe db backup /mnt/copies/troupe.db --json"}});
  set_kind(add_argument(command, "FILE", *target, "the copy: a name that is not taken"), value_kind::file);
  tree.on(command, [target](context& with) { return backup(with, *target); });
}

}  // namespace troupe
