// From opening to being ready with 10,000 unfinished runs in the database (CP-2).
//
// Each run has three tasks: one has ended, one was running when the process died, one was never started. Of four runs one
// is a parent, whose running task is its child; one is that child, which was at work in a process of its own; one had asked
// a person beside such a process; and one was waiting for a person, and for nobody else.
#include "config/load.hpp"
#include "perf/own_process.hpp"
#include "perf/report.hpp"
#include "runtime/node.hpp"
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

constexpr int runs = 10'000;
constexpr int runs_in_batch = 500;
constexpr int sampled = 100;              // runs, from all over the list
constexpr std::int64_t nobody = 1 << 22;  // above every pid (proc_sys_kernel(5), pid_max)

using clock = std::chrono::steady_clock;

double millis_since(clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(clock::now() - begun).count();
}

template <class T>
T must(result<T>&& outcome) {
  if (!outcome) {
    throw std::runtime_error{outcome.error().message};
  }
  return *std::move(outcome);
}

enum class kind { parent, child, asking, waiting };
constexpr int kinds = 4;
constexpr int with_process = runs / 2;  // children, and those that ask beside one

std::string name_of(int i) { return "r-" + std::to_string(i); }

void build_run(write_session& session, int i) {
  const auto is = static_cast<kind>(i % kinds);
  story told{name_of(i), i};
  auto created = told.created({{"survey", "claude"}, {"survey", "codex"}, {"survey", "gemini"}});
  if (is == kind::child) {
    const story parent{name_of(i - 1)};
    created.parent = parent.run;
    created.parent_task = parent.task("survey", "codex");
  }
  must(session.apply(created));
  const auto ended = told.task("survey", "claude");
  must(session.apply(told.started(ended, 1, nobody)));
  must(session.apply(told.printed(ended, std::string(500, 'x'))));
  must(session.apply(told.finished(ended, R"({"decision":"yes"})")));
  if (is == kind::asking || is == kind::waiting) {
    must(session.apply(told.asked("approve")));
  }
  if (is == kind::waiting) {
    auto asleep = told.ended(run_state::paused, 1);
    asleep.end.why.reset();
    asleep.end.cause = pause_cause::approval;
    must(session.apply(asleep));
  } else {
    must(session.apply(told.started(told.task("survey", "codex"), 1, is == kind::parent ? 0 : nobody)));
  }
}

void build(const storage_options& options) {
  auto session = writer_on(options);
  for (int i = 0; i < runs; ++i) {
    if (i % runs_in_batch == 0) {
      must(session->begin());
    }
    build_run(*session, i);
    if ((i + 1) % runs_in_batch == 0) {
      must(session->commit());
    }
  }
}

struct measured {
  sample lease;
  sample open;
  sample list;
  sample load;  ///< Of one run.
  sample ready;
  sample node;
};

/// What a start does with the database, by hand.
void open_by_hand(const storage_options& options, measured& into) {
  const auto begun = clock::now();
  auto held = must(lease::acquire(options, {1, "here", at_second(0)}));
  into.lease.push_back(millis_since(begun));
  auto at = clock::now();
  const auto writer = must(write_session::open(options, held.epoch()));
  into.open.push_back(millis_since(at));
  at = clock::now();
  const auto reader = must(read_session::open(options));
  const auto unfinished = must(reader->list_unfinished());
  const auto leftovers = must(reader->list_leftovers());
  into.list.push_back(millis_since(at));
  into.ready.push_back(millis_since(begun));
  if (unfinished.size() != runs || leftovers.size() != with_process) {
    throw std::runtime_error{"not every run is unfinished, and half of them with a process"};
  }
  at = clock::now();
  for (std::size_t i = 0; i < runs; i += runs / sampled) {
    must(reader->load_recovery(unfinished[i]));
  }
  into.load.push_back(millis_since(at) / sampled);
}

settings_ptr settings_for(const std::filesystem::path& folder, const std::filesystem::path& database) {
  config_sources sources;
  sources.assignments = {"storage.path=" + database.string(), "runtime.custodian=" TROUPE_CUSTODIAN_PATH};
  sources.working_directory = folder;
  auto loaded = load_config(sources);
  if (loaded.values == nullptr) {
    throw std::runtime_error{"the configuration is refused"};
  }
  return loaded.values;
}

void start_node(const settings_ptr& with, measured& into) {
  const auto begun = clock::now();
  const auto started = must(node::start({with, {}}));
  into.node.push_back(millis_since(begun));
}

/// MiB that this process has more after a reader has every run in memory.
double memory_of_all(const storage_options& options) {
  const auto before = own_process_use();
  const auto reader = must(read_session::open(options));
  std::vector<recovery_view> all;
  for (const auto& each : must(reader->list_unfinished())) {
    all.push_back(must(reader->load_recovery(each)));
  }
  const auto after = own_process_use();
  return mebibytes(after.memory_bytes - before.memory_bytes);
}

void run(report& to) {
  const temporary_folder folder;
  storage_options options;
  options.path = folder / "troupe.db";
  build(options);
  const auto settings = settings_for(folder.path(), options.path);
  measured all;
  const auto before = own_process_use();
  for (std::size_t i = 0; i < to.with().rounds(30); ++i) {
    open_by_hand(options, all);
    start_node(settings, all);
  }
  const auto after = own_process_use();
  to.section("10,000 unfinished runs");
  to.figure("lease: lock, open, look at the schema, next epoch", "ms", all.lease);
  to.figure("write session: open", "ms", all.open);
  to.figure("read session: open, unfinished runs, leftover processes", "ms", all.list);
  to.figure("the three: the database is ready", "ms", all.ready);
  to.figure("one run loaded: rows, state, tasks, workflow", "ms", all.load);
  to.figure("node: start to ready", "ms", all.node);
  sample memory{mebibytes(after.memory_bytes - before.memory_bytes)};
  to.figure("memory: after all these starts, more than before", "MiB", memory);
  to.figure("memory: every run loaded and kept, more than before", "MiB", {memory_of_all(options)});
  to.figure("the file", "MiB", {mebibytes(static_cast<std::int64_t>(std::filesystem::file_size(options.path)))});
  to.at_most("CP-2", "10,000 unfinished runs: node, start to ready, p95", quantile(all.node, 0.95), 1'000, "ms");
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("recovery_benchmark", count, arguments, troupe::perf::run);
}
