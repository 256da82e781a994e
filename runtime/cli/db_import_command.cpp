// troupe db import
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/import_report.hpp"
#include "runtime/cli/live_display.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/os/host.hpp"
#include "runtime/os/system_clock.hpp"
#include "storage/lease.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace troupe {
namespace {

struct import_options {
  std::string source;
  bool dry_run = false;
};

/// One line at the foot of a terminal that says how far it is; nothing anywhere else.
class import_progress {
 public:
  explicit import_progress(context& with) {
    const auto term = with.environment().find("TERM");
    const bool can = term != with.environment().end() && term->second != "dumb";
    if (can && with.err().is_terminal() && !with.options().quiet) {
      display_ = std::make_unique<live_display>(with.err());
    }
  }
  import_progress(const import_progress&) = delete;
  import_progress& operator=(const import_progress&) = delete;
  ~import_progress() {
    if (display_ != nullptr) {
      display_->clear();
    }
  }

  void show(const std::string& what) {
    if (display_ != nullptr) {
      display_->show({what});
    }
  }

 private:
  std::unique_ptr<live_display> display_;
};

timestamp now() { return system_clock{}.now(); }

result<legacy_comparison> compare_with_what_is_there(const storage_options& storage, legacy_source& source) {
  std::error_code unknown;
  return std::filesystem::exists(storage.path, unknown) ? compare_legacy(storage, source)
                                                        : compare_legacy_with_nothing(source);
}

status rehearse(const storage_options& storage, legacy_source& source, import_report& report) {
  auto compared = compare_with_what_is_there(storage, source);
  if (!compared) {
    return compared.error();
  }
  report.compared = *std::move(compared);
  for (const auto each : legacy_tables) {
    const auto& standing = report.compared.of(each);
    report.counts.of(each) = {standing.absent, standing.same, standing.different};
  }
  return done;
}

status carry_out(const storage_options& storage,
                 legacy_source& source,
                 import_progress& progress,
                 import_report& report) {
  const auto taken = lease::acquire(storage, {own_pid(), host_name(), now()});
  if (!taken) {
    return taken.error();
  }
  auto opened = legacy_writer::open(storage, taken->epoch(), source);
  if (!opened) {
    return opened.error();
  }
  legacy_writer& writer = **opened;
  if (auto started = writer.start(now()); !started) {
    return started;
  }
  while (!writer.is_done()) {
    progress.show("importing: " + std::to_string(writer.rows_done()) + " of " +
                  std::to_string(source.entries().size()) + " rows");
    if (auto written = writer.write_batch(now()); !written) {
      return written;
    }
  }
  report.counts = writer.counts();
  progress.show("comparing " + std::to_string(source.entries().size()) + " rows");
  auto compared = compare_legacy(storage, source);
  if (!compared) {
    return compared.error();
  }
  report.compared = *std::move(compared);
  const auto outcome =
      mismatches_in(report) == 0 ? legacy_writer::outcome::complete : legacy_writer::outcome::incomplete;
  return writer.finish(now(), outcome, import_summary(report));
}

result<import_report> import_from(context& with, const import_options& options) {
  const auto begun = std::chrono::steady_clock::now();
  const auto storage = storage_of(*with.settings());
  import_progress progress{with};
  progress.show("reading " + options.source);
  std::error_code unknown;
  const auto scratch = std::filesystem::temp_directory_path(unknown);
  auto source = legacy_source::open(options.source, unknown ? std::filesystem::path{"/tmp"} : scratch);
  if (!source) {
    return source.error();
  }
  import_report report;
  report.is = options.dry_run ? import_report::kind::rehearsal : import_report::kind::import;
  report.source = options.source;
  report.target = storage.path.string();
  for (const auto each : legacy_tables) {
    report.tables.at(static_cast<std::size_t>(each)) = source->facts(each);
  }
  auto ended = options.dry_run ? rehearse(storage, *source, report) : carry_out(storage, *source, progress, report);
  if (!ended) {
    return ended.error();
  }
  report.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  return report;
}

exit_code import_database(context& with, const import_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  const auto report = import_from(with, options);
  if (!report) {
    return refuse(with, report.error());
  }
  const bool sound = mismatches_in(*report) == 0;
  if (with.options().json) {
    with.print_json(import_json(*report));
  } else if (!with.options().quiet || !sound) {
    with.out().write(import_text(*report, with.out().width(), with.out().look()));
  }
  return sound ? exit_code::completed : exit_code::storage;
}

}  // namespace

void add_db_import(command_tree& tree, CLI::App& group) {
  auto options = std::make_shared<import_options>();
  CLI::App& command = tree.add(
      group,
      {.name = "import",
       .summary = "take over what a database of the older system holds",
       .details = "OLD_DB is read by way of a private copy, and never written. Each consensus becomes one row of "
                  "consensus_runs with its agents' outputs below it. Rows that are here already are left alone, so "
                  "that it may be done again, also after it was interrupted, and when OLD_DB has grown. What cannot "
                  "be taken over is counted with its reason. Afterwards every row is read from both databases and "
                  "compared; exits with 7 where they differ.",
       .examples = {"troupe db import consensus.db --dry-run",
                    "troupe db import consensus.db",
                    "troupe db import consensus.db --db archive.db --json"}});
  set_kind(add_argument(command, "OLD_DB", options->source, "database file of the older system"), value_kind::file);
  add_flag(command, "--dry-run", options->dry_run, "tell what would be imported, and write nothing");
  tree.on(command, [options](context& with) { return import_database(with, *options); });
}

}  // namespace troupe
