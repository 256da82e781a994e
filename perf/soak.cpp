// Minutes at full load, and then everything is deleted: the log stays bounded, memory, descriptors and threads flat, and the
// file becomes small (ST-11). Exits 1 when one of these is not so.
//
// 32 producers write through the writer with its checkpointer; two readers of the node's pool read a run every millisecond.
// In the second half a slow one of another program keeps a transaction open for up to a second now and then: what is committed meanwhile stays in the log, whatever
// its size, and has to leave it afterwards.
#include "perf/endless_load.hpp"
#include "perf/own_process.hpp"
#include "perf/plain_connection.hpp"
#include "storage/read_pool.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace troupe::perf {
namespace {

constexpr int producers = 32;
constexpr int runs_read = 1'000;
constexpr double log_mib_max = 64;
constexpr std::chrono::milliseconds log_looked_at{20};
constexpr double growth_mib_per_minute_max = 1;
constexpr double file_mib_max = 1;
constexpr milliseconds reading_patience{10'000};
constexpr int rows_each = 10;  // seconds between two lines of the table

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begun) { return std::chrono::duration<double>(clock::now() - begun).count(); }

double file_mib(const std::filesystem::path& path) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(path, missing);
  return missing ? 0 : mebibytes(static_cast<std::int64_t>(bytes));
}

/// Sleeps that end when the soak does.
class bell {
 public:
  /// False: it has rung.
  bool wait_for(std::chrono::microseconds time) {
    std::unique_lock lock{guard_};
    return !changed_.wait_for(lock, time, [&] { return has_rung_; });
  }

  void ring() {
    const std::scoped_lock lock{guard_};
    has_rung_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex guard_;
  std::condition_variable changed_;
  bool has_rung_ = false;
};

/// What reads beside the producers.
class readers {
 public:
  readers() = default;
  readers(const readers&) = delete;
  readers& operator=(const readers&) = delete;
  ~readers() { join(); }

  /// `from` outlives this.
  void add_quick_one(read_pool& from) {
    begin([this, &from] { read(from); });
  }

  void add_slow_one(const storage_options& options) {
    begin([this, options] { hold(options); });
  }

  /// Throws what went wrong.
  void stop() {
    join();
    if (failed_) {
      throw std::runtime_error{"a reader could not read"};
    }
  }

  std::int64_t reads() const noexcept { return reads_; }

 private:
  void join() {
    end_.ring();
    for (auto& each : threads_) {
      each.join();
    }
    threads_.clear();
  }

  void begin(std::function<void()> work) {
    threads_.emplace_back([this, work = std::move(work)] {
      try {
        work();
      } catch (const std::exception& thrown) {
        std::fprintf(stderr, "reading: %s\n", thrown.what());
        failed_ = true;
      }
    });
  }

  void read(read_pool& from) {
    int run = 0;
    while (end_.wait_for(std::chrono::milliseconds{1})) {
      const run_id which{id_of_run("soak", run++ % runs_read)};
      auto session = from.borrow(reading_patience);
      if (!session) {
        throw std::runtime_error{session.error().message};
      }
      const auto events = (*session)->list_events(which, event_seq{0}, 100);
      if (!events && events.error().code != error_code::not_found) {  // not yet
        throw std::runtime_error{events.error().message};
      }
      ++reads_;
    }
  }

  void hold(const storage_options& options) {
    plain_connection connection{options.path};
    std::minstd_rand choose{1};
    while (end_.wait_for(std::chrono::seconds{4})) {
      connection.number("BEGIN");
      connection.number("SELECT max(id) FROM runs");
      end_.wait_for(std::chrono::milliseconds{200 + choose() % 800});
      connection.number("COMMIT");
    }
  }

  bell end_;
  std::atomic<bool> failed_{false};
  std::atomic<std::int64_t> reads_{0};
  std::vector<std::thread> threads_;
};

struct moment {
  double second = 0;
  double log_mib = 0;  ///< The most in this second.
  double memory_mib = 0;
  double mapped_mib = 0;
  std::int64_t descriptors = 0;
  std::int64_t threads = 0;
  double facts = 0;    ///< Per second.
  double commits = 0;  ///< Per second.
  double p99_ms = 0;
};

struct course {
  std::vector<moment> moments;
  double log_after_mib = 0;  ///< A second after the last slow reader.
};

void show(const moment& at, double file) {
  std::printf("%6.0f %9.0f %9.0f %8.1f %8.1f %8.1f %8.1f %6lld %8lld %9.1f\n",
              at.second,
              at.facts,
              at.commits,
              at.p99_ms,
              at.log_mib,
              at.memory_mib,
              at.mapped_mib,
              static_cast<long long>(at.descriptors),
              static_cast<long long>(at.threads),
              file);
  std::fflush(stdout);
}

/// Looks at it until then.
double largest_log(const std::filesystem::path& log, clock::time_point until) {
  double largest = 0;
  while (clock::now() < until) {
    std::this_thread::sleep_until(std::min(until, clock::now() + log_looked_at));
    largest = std::max(largest, file_mib(log));
  }
  return largest;
}

course load_for(std::chrono::seconds time, const storage_options& options) {
  std::printf("%6s %9s %9s %8s %8s %8s %8s %6s %8s %9s\n",
              "second",
              "facts/s",
              "commits/s",
              "p99 ms",
              "log MiB",
              "memory",
              "mapped",
              "files",
              "threads",
              "file MiB");
  const auto log = options.path.string() + "-wal";
  writing_actors writing{options};
  endless_load load{writing, "soak", producers};
  readers beside;
  beside.add_quick_one(writing.readers());
  beside.add_quick_one(writing.readers());
  readers slow;
  course all;
  const auto begun = clock::now();
  auto last = begun;
  auto facts = load.facts();
  auto commits = commits_so_far();
  for (int second = 1; second <= time.count(); ++second) {
    if (second == time.count() / 2) {
      slow.add_slow_one(options);
    }
    const double largest = largest_log(log, begun + std::chrono::seconds{second});
    const auto passed = seconds_since(last);
    last = clock::now();
    const auto use = own_process_use();
    moment now;
    now.second = seconds_since(begun);
    now.facts = static_cast<double>(load.facts() - facts) / passed;
    now.commits = static_cast<double>(commits_so_far() - commits) / passed;
    now.p99_ms = quantile(load.take_latencies(), 0.99) / 1e3;
    now.log_mib = largest;
    now.memory_mib = mebibytes(use.memory_bytes);
    now.mapped_mib = mebibytes(use.mapped_bytes);
    now.descriptors = use.descriptors;
    now.threads = use.threads;
    facts = load.facts();
    commits = commits_so_far();
    if (second % rows_each == 0 || second == time.count()) {
      show(now, file_mib(options.path));
    }
    all.moments.push_back(now);
  }
  slow.stop();
  std::this_thread::sleep_for(std::chrono::seconds{1});
  all.log_after_mib = file_mib(log);
  load.stop();
  beside.stop();
  std::printf("%lld facts, %lld reads\n", static_cast<long long>(load.facts()), static_cast<long long>(beside.reads()));
  return all;
}

/// The file's size in MiB when all runs are gone.
double delete_everything(const storage_options& options) {
  const auto begun = clock::now();
  const double full = file_mib(options.path);
  {
    plain_connection connection{options.path};
    while (connection.number("SELECT EXISTS (SELECT 1 FROM runs)") != 0) {
      connection.run("DELETE FROM runs WHERE id IN (SELECT id FROM runs LIMIT 200)");
    }
    connection.run("DELETE FROM workflows; DELETE FROM configs");
    while (connection.number("SELECT freelist_count FROM pragma_freelist_count") != 0) {
      connection.run("PRAGMA incremental_vacuum(4096)");
    }
    connection.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const double left = file_mib(options.path);
  std::printf("deleted and vacuumed in %.1f s: from %.1f to %.2f MiB\n", seconds_since(begun), full, left);
  return left;
}

/// By least squares, per minute.
double growth(const std::vector<moment>& of) {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (const auto& at : of) {
    n += 1;
    x += at.second;
    y += at.memory_mib;
    xx += at.second * at.second;
    xy += at.second * at.memory_mib;
  }
  return 60 * (n * xy - x * y) / (n * xx - x * x);
}

class verdict {
 public:
  void at_most(const char* what, double value, double limit, const char* unit) {
    const bool met = value <= limit;
    std::printf("  %-60s %8.2f %s; at most %g: %s\n", what, value, unit, limit, met ? "met" : "MISSED");
    missed_ += met ? 0 : 1;
  }

  int missed() const noexcept { return missed_; }

 private:
  int missed_ = 0;
};

template <class Field>
double spread(const std::vector<moment>& of, Field field) {
  const auto [low, high] =
      std::minmax_element(of.begin(), of.end(), [&](const moment& a, const moment& b) { return a.*field < b.*field; });
  return static_cast<double>((*high).*field - (*low).*field);
}

int judge(const course& told, double file_left) {
  const auto& all = told.moments;
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  const std::vector<moment> second_half{half, all.end()};
  const auto largest_of = [](auto from, auto to) {
    return std::max_element(from, to, [](const moment& a, const moment& b) { return a.log_mib < b.log_mib; })->log_mib;
  };
  sample facts;
  for (const auto& at : all) {
    facts.push_back(at.facts);
  }
  std::printf("\nfacts per second, median: %.0f; log, the largest while a slow reader held it back: %.1f MiB\n",
              median(facts),
              largest_of(half, all.end()));
  verdict given;
  given.at_most("ST-11: log, the largest, short readers", largest_of(all.begin(), half - 1), log_mib_max, "MiB");
  given.at_most("ST-11: log, after slow readers let go of it", told.log_after_mib, log_mib_max, "MiB");
  given.at_most("memory, growth over the second half", growth(second_half), growth_mib_per_minute_max, "MiB/min");
  given.at_most("open files, most over least in the second half", spread(second_half, &moment::descriptors), 0, "");
  given.at_most("threads, most over least in the second half", spread(second_half, &moment::threads), 0, "");
  given.at_most("file after everything was deleted", file_left, file_mib_max, "MiB");
  return given.missed() == 0 ? 0 : 1;
}

std::optional<std::chrono::seconds> parse_seconds(int count, char** arguments) {
  constexpr int usual = 180;
  constexpr int fewest = 90;  // caches of pages grow for the first half minute
  if (count == 1) {
    return std::chrono::seconds{usual};
  }
  if (count == 3 && std::string_view{arguments[1]} == "--seconds") {
    const char* const end = arguments[2] + std::strlen(arguments[2]);
    int seconds = 0;
    const auto [stopped, failed] = std::from_chars(arguments[2], end, seconds);
    if (failed == std::errc{} && stopped == end && seconds >= fewest) {
      return std::chrono::seconds{seconds};
    }
  }
  std::fprintf(stderr, "%s: usage: [--seconds N], at least %d\n", arguments[0], fewest);
  return std::nullopt;
}

int run(int count, char** arguments) {
  const auto time = parse_seconds(count, arguments);
  if (!time) {
    return 2;
  }
  static_cast<void>(commits_so_far());  // counts the connections that are opened from now on
  const temporary_folder folder;
  storage_options options;
  options.path = folder / "troupe.db";
  writer_on(options).reset();  // for the readers to find
  const auto told = load_for(*time, options);
  return judge(told, delete_everything(options));
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  try {
    return troupe::perf::run(count, arguments);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], thrown.what());
    return 1;
  }
}
