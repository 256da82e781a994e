// troupe db vacuum
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/live_display.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/os/host.hpp"
#include "runtime/os/signals.hpp"
#include "storage/lease.hpp"
#include "storage/write_session.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace troupe {
namespace {

using steady = std::chrono::steady_clock;

// Nobody else writes: a slice is as long as Ctrl-C may wait.
constexpr milliseconds slice_at_most{50};
constexpr std::int64_t slice_pages = 4'096;  // 16 MiB: half of the cache
constexpr std::int64_t cut_bytes = std::int64_t{32} << 20U;

timestamp time_of_day_now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

std::int64_t bytes_of(const std::filesystem::path& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  return unknown ? 0 : static_cast<std::int64_t>(bytes);
}

struct outcome {
  vacuum_report pass;
  std::int64_t file_bytes = 0;
  shrink_end cut = shrink_end::file_is_cut;
  bool interrupted = false;
};

/// The pass from its first slice to its last, on this thread.
class offline_pass {
 public:
  offline_pass(write_session& session, context& with, const signal_watch& signals)
      : session_(session), signals_(signals) {
    if (with.err().is_terminal() && !with.options().quiet && !with.options().json) {
      display_.emplace(with.err());
    }
  }

  result<outcome> carry_out() {
    begun_ = steady::now();
    told_.pass.reason = vacuum_reason::manual;
    told_.pass.started_at = time_of_day_now();
    for (bool more = true; more;) {
      const auto went_on = slice();
      if (!went_on) {
        return went_on.error();
      }
      told_.interrupted = *went_on && signals_.wait(milliseconds{0}).has_value();
      more = *went_on && !told_.interrupted;
    }
    if (auto cut = cut_file(); !cut) {
      return cut.error();
    }
    told_.pass.finished_at = time_of_day_now();
    told_.pass.took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - begun_);
    if (!told_.interrupted) {
      if (auto recorded = session_.record(told_.pass); !recorded) {
        return recorded.error();
      }
    }
    if (display_) {
      display_->clear();
    }
    return told_;
  }

 private:
  /// Whether there is more.
  result<bool> slice() {
    auto& pass = told_.pass;
    const auto begun = steady::now();
    const auto freed = session_.give_back(slice_pages, [&] { return steady::now() - begun < slice_at_most; });
    if (!freed) {
      return freed.error();
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - begun);
    if (pass.slices++ == 0) {
      pass.bytes_before = freed->size.bytes() + freed->count * freed->size.page_size;
    }
    pass.longest_slice = std::max(pass.longest_slice, took);
    pass.freed_pages += freed->count;
    pass.bytes_after = freed->size.bytes();
    pass.reclaimed_bytes += freed->count * freed->size.page_size;
    to_cut_ += freed->count * freed->size.page_size;
    if (to_cut_ >= cut_bytes) {
      if (auto cut = cut_file(); !cut) {
        return cut.error();
      }
    }
    show(freed->size);
    return freed->size.free_pages > 0;
  }

  status cut_file() {
    to_cut_ = 0;
    const auto cut = session_.carry_log_over();
    if (!cut) {
      return cut.error();
    }
    told_.cut = *cut;
    return done;
  }

  void show(const database_size& size) {
    if (display_) {
      display_->show({fit("vacuum: " + human_bytes(told_.pass.reclaimed_bytes) + " given back, " +
                              human_bytes(size.free_bytes()) + " to go",
                          display_->size().columns - 1)});
    }
  }

  write_session& session_;
  const signal_watch& signals_;
  std::optional<live_display> display_;
  outcome told_;
  std::int64_t to_cut_ = 0;
  steady::time_point begun_;
};

double milliseconds_of(std::chrono::microseconds length) { return static_cast<double>(length.count()) / 1'000.0; }

std::string json_of(const outcome& told) {
  return object_writer{}
      .text("reason", to_string(told.pass.reason))
      .boolean("interrupted", told.interrupted)
      .number("bytes_before", told.pass.bytes_before)
      .number("bytes_after", told.pass.bytes_after)
      .number("reclaimed_bytes", told.pass.reclaimed_bytes)
      .number("freed_pages", told.pass.freed_pages)
      .number("file_bytes", told.file_bytes)
      .number("slices", told.pass.slices)
      .real("longest_slice_ms", milliseconds_of(told.pass.longest_slice))
      .real("duration_ms", milliseconds_of(told.pass.took))
      .time("started_at", told.pass.started_at)
      .time("finished_at", told.pass.finished_at)
      .str();
}

std::string text_of(const outcome& told, const style& look) {
  std::string text;
  if (told.interrupted) {
    text = look.mark(sign::stopped) + " stopped: ";
  } else {
    text = look.mark(sign::good) + ' ';
  }
  text += human_bytes(told.pass.bytes_before) + " before, " + human_bytes(told.pass.bytes_after) +
          " after: " + human_bytes(told.pass.reclaimed_bytes) + " given back in " + human_duration(told.pass.took) +
          '\n';
  if (told.cut == shrink_end::held_back) {
    text += "  another process reads an older state; the file is cut when the log is carried over next\n";
  }
  return text;
}

/// The holder vacuums by itself: nothing needs to be done.
error in_words_of_vacuum(error why) {
  if (why.code == error_code::lease_held) {
    why.hint = "it vacuums by itself, see [vacuum] of its configuration; `troupe db info` tells when it did so last";
  }
  return why;
}

result<outcome> vacuum_file(context& with, const storage_options& storage) {
  auto signals = signal_watch::of({SIGINT, SIGTERM, SIGHUP});
  if (!signals) {
    return signals.error();
  }
  auto held = lease::acquire(storage, {own_pid(), host_name(), time_of_day_now()});
  if (!held) {
    return in_words_of_vacuum(held.error());
  }
  auto session = write_session::open(storage, held->epoch());
  if (!session) {
    return session.error();
  }
  return offline_pass{**session, with, *signals}.carry_out();
}

exit_code vacuum(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (const auto stored = open_stored(*with.settings()); !stored && stored.error().code == error_code::not_found) {
    return refuse(with, stored.error());
  }
  const auto storage = storage_of(*with.settings());
  auto told = vacuum_file(with, storage);
  if (!told) {
    return refuse(with, told.error());
  }
  told->file_bytes = bytes_of(storage.path);  // once the session is closed, and the log is empty
  if (with.options().json) {
    with.print_json(json_of(*told));
  } else if (!with.options().quiet) {
    with.out().write(text_of(*told, with.out().look()));
  }
  return told->interrupted ? exit_code::cancelled : exit_code::completed;
}

}  // namespace

void add_db_vacuum(command_tree& tree, CLI::App& group) {
  tree.on(tree.add(group,
                   {.name = "vacuum",
                    .summary = "give the free space in the database back to the file system",
                    .details =
                        "For a database that nobody writes to: a running troupe does it by itself, and then this exits "
                        "with 8. Ctrl-C stops between two steps; what was given back by then stays so, and the exit "
                        "code is 5.",
                    .examples = {"troupe db vacuum", "troupe db vacuum --db old.db --json"}}),
          vacuum);
}

}  // namespace troupe
