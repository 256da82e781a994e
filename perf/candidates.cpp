#include "perf/candidates.hpp"

#include "tests/storage/facts.hpp"

#include <time.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <exception>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace troupe::perf {
namespace {

constexpr std::size_t output_bytes = 500;

using clock = std::chrono::steady_clock;

storage_options options_of(const std::filesystem::path& path, const place& where) {
  storage_options options;
  options.path = path;
  options.synchronous = where.synchronous;
  options.vfs = where.vfs;
  return options;
}

void must(const status& done_well) {
  if (!done_well) {
    throw std::runtime_error{done_well.error().message};
  }
}

/// Where each fact of a round goes: `commits` batches of nearly the same size.
bool ends_batch(std::size_t fact, std::size_t facts, std::int64_t commits) {
  const auto batch_of = [&](std::size_t i) { return i * static_cast<std::size_t>(commits) / facts; };
  return batch_of(fact) != batch_of(fact + 1);
}

class in_one_loop final : public candidate {
 public:
  in_one_loop(const std::filesystem::path& path, const place& where) : candidate(path, where), rows_(options()) {}

  round_cost commit(const round_of_facts& facts, std::int64_t commits) override {
    sample latencies;
    const stop_watch watch;
    std::size_t at = 0;
    auto begun = clock::now();
    rows_.begin();
    facts.for_each([&](const known_fact& fact) {
      rows_.write(fact);
      if (ends_batch(at++, facts.facts(), commits)) {
        rows_.commit();
        latencies.push_back(micros_since(begun));
        if (at < facts.facts()) {
          begun = clock::now();
          rows_.begin();
        }
      }
    });
    auto cost = watch.per_fact(facts.facts());
    cost.commits = commits;
    cost.latencies = std::move(latencies);
    return cost;
  }

 private:
  bare_rows rows_;
};

class through_session final : public candidate {
 public:
  using candidate::candidate;

  round_cost commit(const round_of_facts& facts, std::int64_t commits) override {
    const stop_watch watch;
    std::size_t at = 0;
    must(session().begin());
    facts.for_each([&](const known_fact& fact) {
      if (const auto applied = session().apply(fact.what, {lease_epoch{1}}); !applied) {
        throw std::runtime_error{applied.error().message};
      }
      if (ends_batch(at++, facts.facts(), commits)) {
        must(session().commit());
        if (at < facts.facts()) {
          must(session().begin());
        }
      }
    });
    auto cost = watch.per_fact(facts.facts());
    cost.commits = commits;
    return cost;
  }
};

/// Producers in line for a connection. Each has one fact at a time, and its next one when that is committed.
class line_of_producers {
 public:
  struct turn {
    const std::vector<known_fact>* facts = nullptr;
    std::size_t next = 0;
    clock::time_point since;  ///< Waits with this fact from then.
  };

  line_of_producers(const round_of_facts& of, std::size_t at_once) : of_(of) {
    while (begun_ < of.known().size() && begun_ < at_once) {
      line_.push_back({&of.known()[begun_++], 0, clock::now()});
    }
  }

  /// Nothing to tell: all is told, or whoever has some is at it.
  bool take(turn& into) {
    const std::scoped_lock lock{guard_};
    if (line_.empty()) {
      return false;
    }
    into = line_.front();
    line_.pop_front();
    return true;
  }

  /// One fact of `done` is committed. After its last one, another producer comes in its place.
  void put_back(turn done) {
    const std::scoped_lock lock{guard_};
    if (++done.next == done.facts->size()) {
      if (begun_ == of_.known().size()) {
        return;
      }
      done = {&of_.known()[begun_++], 0, {}};
    }
    done.since = clock::now();
    line_.push_back(done);
  }

 private:
  const round_of_facts& of_;
  std::mutex guard_;
  std::size_t begun_ = 0;
  std::deque<turn> line_;
};

class by_pool final : public candidate {
 public:
  by_pool(const std::filesystem::path& path, const place& where, const pool_terms& terms)
      : candidate(path, where), terms_(terms) {
    for (std::size_t i = 0; i < terms.connections; ++i) {
      pool_.emplace_back(options());
    }
  }

  round_cost commit(const round_of_facts& facts, std::int64_t /*commits*/) override {
    std::latch ready{static_cast<std::ptrdiff_t>(pool_.size())};
    std::atomic<std::size_t> committed{0};
    std::atomic<bool> failed{false};
    line_of_producers line{facts, terms_.producers};
    latencies_.clear();
    const stop_watch watch;
    std::vector<std::thread> threads;
    for (auto& connection : pool_) {
      threads.emplace_back([&] {
        try {
          ready.arrive_and_wait();
          committed += work(connection, line);
        } catch (const std::exception& thrown) {
          std::fprintf(stderr, "pool: %s\n", thrown.what());
          failed = true;
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    if (failed || committed == 0) {
      throw std::runtime_error{"the pool could not write"};
    }
    const std::chrono::duration<double, std::micro> window = terms_.window;
    round_cost cost;
    cost.time = window.count() / static_cast<double>(committed);
    cost.processor = watch.per_fact(committed).processor;
    cost.latencies = std::move(latencies_);
    return cost;
  }

 private:
  /// Facts that were committed while the window was open.
  std::size_t work(bare_rows& connection, line_of_producers& line) {
    const auto closes = clock::now() + terms_.window;
    std::size_t in_time = 0;
    sample latencies;
    line_of_producers::turn mine;
    while (clock::now() < closes && line.take(mine)) {
      const bool has_lock = connection.begin_before(closes);
      if (has_lock) {
        connection.write((*mine.facts)[mine.next]);
        connection.commit();
      }
      latencies.push_back(micros_since(mine.since));  // of who gives up: at least
      if (!has_lock) {
        break;
      }
      in_time += clock::now() < closes ? 1 : 0;
      line.put_back(mine);
    }
    const std::scoped_lock lock{guard_};
    latencies_.insert(latencies_.end(), latencies.begin(), latencies.end());
    return in_time;
  }

  pool_terms terms_;
  std::vector<bare_rows> pool_;
  std::mutex guard_;
  sample latencies_;
};

}  // namespace

round_of_facts::round_of_facts(int number, const load& each)
    : producers_(producers_of_round(number, each.producers, each.tasks_each, output_bytes)) {
  known_.reserve(producers_.size());
  for (const auto& one : producers_) {
    known_.push_back(known_facts(one));
  }
}

candidate::candidate(const std::filesystem::path& path, const place& where)
    : options_(options_of(path, where)), session_(writer_on(options_)) {}

void candidate::prepare(const round_of_facts& facts) {
  must(session_->begin());
  for (const auto& one : facts.producers()) {
    if (auto made = session_->apply(one.created); !made) {
      throw std::runtime_error{made.error().message};
    }
  }
  must(session_->commit());
}

std::unique_ptr<candidate> bare_candidate(const std::filesystem::path& path, const place& where) {
  return std::make_unique<in_one_loop>(path, where);
}

std::unique_ptr<candidate> session_candidate(const std::filesystem::path& path, const place& where) {
  return std::make_unique<through_session>(path, where);
}

std::unique_ptr<candidate> pool_candidate(const std::filesystem::path& path,
                                          const place& where,
                                          const pool_terms& terms) {
  return std::make_unique<by_pool>(path, where, terms);
}

double micros_since(clock::time_point begun) {
  return std::chrono::duration<double, std::micro>(clock::now() - begun).count();
}

round_cost stop_watch::per_fact(std::size_t facts) const {
  const auto each = static_cast<double>(facts);
  round_cost cost;
  cost.time = micros_since(begun_) / each;
  cost.processor = (processor_time() - processor_begun_) / each;
  return cost;
}

double stop_watch::processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

}  // namespace troupe::perf
