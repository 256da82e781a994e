// Reads per second, alone and while 32 producers write: through the pool of readers, a loan for each, and through SQLite
// with nothing around it.
//
// A read is a run with its state, or its first 100 events, in turns, of one of 1,000 runs by chance.
#include "perf/endless_load.hpp"
#include "perf/plain_connection.hpp"
#include "perf/report.hpp"
#include "perf/writing_actors.hpp"
#include "storage/read_pool.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_folder.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

constexpr int runs = 1'000;
constexpr int tasks_each = 10;
constexpr int producers = 32;
constexpr std::chrono::milliseconds window{60};

using clock = std::chrono::steady_clock;

run_id run_number(int which) { return run_id{"read-" + std::to_string(which)}; }

void build(const storage_options& options) {
  auto session = writer_on(options);
  const auto must = [](const auto& outcome) {
    if (!outcome) {
      throw std::runtime_error{outcome.error().message};
    }
  };
  must(session->begin());
  for (int i = 0; i < runs; ++i) {
    for (const auto& fact : whole_run(run_number(i).str(), tasks_each)) {
      must(session->apply(*fact));
    }
  }
  must(session->commit());
}

/// One thread's way of reading.
class reader {
 public:
  reader() = default;
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  virtual ~reader() = default;
  virtual void read_run(const run_id& which) = 0;
  virtual void read_events(const run_id& which) = 0;
};

class pool_reader final : public reader {
 public:
  explicit pool_reader(read_pool& from) noexcept : from_(from) {}

  void read_run(const run_id& which) override {
    if (!borrowed()->find_run(which)) {
      throw std::runtime_error{"a run is not there"};
    }
  }

  void read_events(const run_id& which) override {
    const auto events = borrowed()->list_events(which, event_seq{0}, 100);
    if (!events || events->empty()) {
      throw std::runtime_error{"a run has no events"};
    }
  }

 private:
  read_loan borrowed() {
    auto loan = from_.borrow(patience);
    if (!loan) {
      throw std::runtime_error{loan.error().message};
    }
    return *std::move(loan);
  }

  static constexpr milliseconds patience{10'000};

  read_pool& from_;
};

class plain_reader final : public reader {
 public:
  explicit plain_reader(const storage_options& options) : connection_(options.path) {}

  // As find_run: the row and the state, in one transaction.
  void read_run(const run_id& which) override {
    connection_.number("BEGIN");
    const auto bytes = connection_.read("SELECT * FROM runs WHERE run_id = ?", which.str()) +
                       connection_.read(
                           "SELECT state, changes, removed FROM supersteps WHERE run_id = ? AND"
                           " superstep > ? ORDER BY superstep DESC LIMIT 1",
                           which.str());
    connection_.number("COMMIT");
    must_be_there(bytes);
  }

  void read_events(const run_id& which) override {
    must_be_there(
        connection_.read("SELECT seq, time, kind, step_id, superstep, task_id, attempt, agent_name, data FROM"
                         " events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT 100",
                         which.str()));
  }

 private:
  static void must_be_there(std::size_t bytes) {
    if (bytes == 0) {
      throw std::runtime_error{"a run is not there"};
    }
  }

  plain_connection connection_;
};

using readers = std::vector<std::unique_ptr<reader>>;

/// Reads in a window by all of `by`, each on a thread of its own.
std::int64_t reads_in_window(const readers& by) {
  std::latch ready{static_cast<std::ptrdiff_t>(by.size())};
  std::atomic<std::int64_t> reads{0};
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < by.size(); ++i) {
    threads.emplace_back([&, i] {
      std::minstd_rand choose{static_cast<unsigned>(i + 1)};
      std::int64_t mine = 0;
      ready.arrive_and_wait();
      const auto closes = clock::now() + window;
      try {
        while (clock::now() < closes) {
          const auto which = run_number(static_cast<int>(choose() % runs));
          mine++ % 2 == 0 ? by[i]->read_run(which) : by[i]->read_events(which);
        }
      } catch (const std::exception& thrown) {
        std::fprintf(stderr, "reading: %s\n", thrown.what());
        failed = true;
      }
      reads += mine;
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  if (failed) {
    throw std::runtime_error{"the database could not be read"};
  }
  return reads;
}

double micros_each(std::int64_t count, clock::duration took = window) {
  return std::chrono::duration<double, std::micro>(took).count() /
         static_cast<double>(std::max<std::int64_t>(count, 1));
}

struct measured {
  sample pool_alone;
  sample plain_alone;
  sample pool_beside;
  sample plain_beside;
  sample facts_alone;   ///< Microseconds for each fact, while nobody reads.
  sample facts_beside;  ///< While the pool is read from.
};

measured measure(writing_actors& writing, const storage_options& options, std::size_t threads, std::size_t rounds) {
  readers pooled;
  readers plain;
  for (std::size_t i = 0; i < threads; ++i) {
    pooled.push_back(std::make_unique<pool_reader>(writing.readers()));
    plain.push_back(std::make_unique<plain_reader>(options));
  }
  measured all;
  constexpr int warm_up = 2;
  for (int round = -warm_up; round < static_cast<int>(rounds); ++round) {
    measured now;
    now.pool_alone = {micros_each(reads_in_window(pooled))};
    now.plain_alone = {micros_each(reads_in_window(plain))};
    endless_load load{writing, "load-" + std::to_string(threads) + '-' + std::to_string(round), producers};
    const auto facts_during = [&](const auto& act) {
      const auto before = load.facts();
      const auto begun = clock::now();
      act();
      return sample{micros_each(load.facts() - before, clock::now() - begun)};
    };
    now.facts_alone = facts_during([] { std::this_thread::sleep_for(window); });
    now.facts_beside = facts_during([&] { now.pool_beside = {micros_each(reads_in_window(pooled))}; });
    now.plain_beside = {micros_each(reads_in_window(plain))};
    load.stop();
    if (round < 0) {
      continue;
    }
    for (const auto part : {&measured::pool_alone,
                            &measured::plain_alone,
                            &measured::pool_beside,
                            &measured::plain_beside,
                            &measured::facts_alone,
                            &measured::facts_beside}) {
      (all.*part).push_back((now.*part).front());
    }
  }
  return all;
}

void tell(report& to, const std::string& threads, const measured& all) {
  const auto line = [&](const std::string& name, const sample& each, const char* unit) {
    to.figure(name, unit, each);
    char rate[120];
    std::snprintf(rate, sizeof rate, "%s: %.0f per second", name.c_str(), 1e6 / median(each));
    to.remark(rate);
  };
  to.section(threads);
  line("pool, nobody writes", all.pool_alone, "us/read");
  line("plain SQLite, nobody writes", all.plain_alone, "us/read");
  line("pool, 32 producers write", all.pool_beside, "us/read");
  line("plain SQLite, 32 producers write", all.plain_beside, "us/read");
  line("facts committed, nobody reads", all.facts_alone, "us/fact");
  line("facts committed, pool read", all.facts_beside, "us/fact");
  to.compare(threads + ": pool over plain SQLite, alone", all.plain_alone, all.pool_alone);
  to.compare(threads + ": pool over plain SQLite, beside the writer", all.plain_beside, all.pool_beside);
  to.compare(threads + ": pool beside the writer over alone", all.pool_beside, all.pool_alone);
  to.compare(threads + ": the writer beside readers over alone", all.facts_beside, all.facts_alone);
}

void run(report& to) {
  const temporary_folder folder;
  storage_options options;
  options.path = folder / "troupe.db";
  build(options);
  writing_actors writing{options};
  tell(to, "one thread reads", measure(writing, options, 1, to.with().rounds(30)));
  tell(to, "two threads read", measure(writing, options, 2, to.with().rounds(30)));
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("read_benchmark", count, arguments, troupe::perf::run);
}
