// Commits: the writer actor with 32 producers beside SQLite alone and beside a pool of connections (WR-8).
//
//   bare     one loop, known rows, kept statements, batches of the size that the writer had
//   session  one loop over write_session: what the writer does without its actors
//   writer   32 producers, each an actor that tells its next fact when the last is committed
//   pool     32 producers, each a thread with a connection and known rows, BEGIN IMMEDIATE per fact, as many as they
//            get committed in a while
//
// The first three write the same rows, which is looked at in the end.
#include "actors/event_hub/event_hub_actor.hpp"
#include "actors/writer_client.hpp"
#include "perf/bare_rows.hpp"
#include "perf/report.hpp"
#include "perf/slow_disk.hpp"
#include "runtime/writer_assembly.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

constexpr int producer_count = 32;
constexpr int tasks_each = 10;
constexpr std::size_t output_bytes = 500;
constexpr int pool_rounds_worth = 4;  // of facts, so that nobody in the pool runs out of them
constexpr std::chrono::milliseconds pool_window{150};
constexpr std::size_t facts_of_round = std::size_t{producer_count} * tasks_each * 3;

using clock = std::chrono::steady_clock;

double micros_since(clock::time_point begun) {
  return std::chrono::duration<double, std::micro>(clock::now() - begun).count();
}

/// Where and how facts are committed.
struct place {
  std::string name;
  storage_options::durability synchronous = storage_options::durability::full;
  std::string vfs;
};

storage_options options_of(const std::filesystem::path& path, const place& where) {
  storage_options options;
  options.path = path;
  options.synchronous = where.synchronous;
  options.vfs = where.vfs;
  return options;
}

struct round_of_facts {
  std::vector<producer> producers;
  std::vector<std::vector<known_fact>> known;

  explicit round_of_facts(int number, int count = producer_count)
      : producers(producers_of_round(number, count, tasks_each, output_bytes)) {
    for (const auto& one : producers) {
      known.push_back(known_facts(one));
    }
  }

  /// In turns, as producers that wait for each other's batches tell them.
  template <class Act>
  void for_each(Act act) const {
    for (std::size_t i = 0; i < known.front().size(); ++i) {
      for (const auto& facts : known) {
        act(facts[i]);
      }
    }
  }
};

/// Where each fact of a round goes: `commits` batches of nearly the same size.
bool ends_batch(std::size_t fact, std::int64_t commits) {
  const auto batch_of = [&](std::size_t i) { return i * static_cast<std::size_t>(commits) / facts_of_round; };
  return batch_of(fact) != batch_of(fact + 1);
}

void must(const status& done_well) {
  if (!done_well) {
    throw std::runtime_error{done_well.error().message};
  }
}

/// Of each fact, in microseconds.
struct cost {
  double time = 0;
  double processor = 0;  ///< Of all threads.
};

class stop_watch {
 public:
  cost per_fact(std::size_t facts) const {
    const auto each = static_cast<double>(facts);
    return {micros_since(begun_) / each, (processor_time() - processor_begun_) / each};
  }

 private:
  static double processor_time() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
  }

  double processor_begun_ = processor_time();
  clock::time_point begun_ = clock::now();
};

/// One way of committing facts, on a database of its own.
class candidate {
 public:
  candidate(const std::filesystem::path& path, const place& where)
      : options_(options_of(path, where)), session_(writer_on(options_)) {}
  candidate(const candidate&) = delete;
  candidate& operator=(const candidate&) = delete;
  virtual ~candidate() = default;

  void prepare(const round_of_facts& facts) {
    must(session_->begin());
    for (const auto& one : facts.producers) {
      if (auto made = session_->apply(one.created); !made) {
        throw std::runtime_error{made.error().message};
      }
    }
    must(session_->commit());
  }

  virtual cost commit(const round_of_facts& facts, std::int64_t commits) = 0;

  const storage_options& options() const noexcept { return options_; }

 protected:
  write_session& session() noexcept { return *session_; }

 private:
  storage_options options_;
  std::unique_ptr<write_session> session_;  ///< Open all the time: the last one to close empties the log.
};

class bare_candidate final : public candidate {
 public:
  bare_candidate(const std::filesystem::path& path, const place& where) : candidate(path, where), rows_(options()) {}

  cost commit(const round_of_facts& facts, std::int64_t commits) override {
    const stop_watch watch;
    std::size_t at = 0;
    rows_.begin();
    facts.for_each([&](const known_fact& fact) {
      rows_.write(fact);
      if (ends_batch(at++, commits)) {
        rows_.commit();
        if (at < facts_of_round) {
          rows_.begin();
        }
      }
    });
    return watch.per_fact(facts_of_round);
  }

 private:
  bare_rows rows_;
};

class session_candidate final : public candidate {
 public:
  using candidate::candidate;

  cost commit(const round_of_facts& facts, std::int64_t commits) override {
    const stop_watch watch;
    std::size_t at = 0;
    must(session().begin());
    facts.for_each([&](const known_fact& fact) {
      if (const auto applied = session().apply(fact.what, {lease_epoch{1}}); !applied) {
        throw std::runtime_error{applied.error().message};
      }
      if (ends_batch(at++, commits)) {
        must(session().commit());
        if (at < facts_of_round) {
          must(session().begin());
        }
      }
    });
    return watch.per_fact(facts_of_round);
  }
};

// ---------------------------------------------------------------------------------------------------------------------

using teller = caf::typed_actor<caf::reacts_to<later>>;

struct teller_state {
  static inline const char* name = "producer";
  std::size_t told = 0;
  sample latencies;
};

using teller_pointer = teller::stateful_pointer<teller_state>;

/// What the producers of a round have in common. Outlives them.
struct telling {
  writer_access writer;
  std::latch all_done{producer_count};
  std::mutex guard;
  sample latencies;  ///< Microseconds from telling a fact to its receipt.
  std::string trouble;
};

void tell_next(teller_pointer self, const std::vector<fact_ptr>& facts, telling& of) {
  auto& state = self->state;
  if (state.told == facts.size()) {
    {
      const std::scoped_lock lock{of.guard};
      of.latencies.insert(of.latencies.end(), state.latencies.begin(), state.latencies.end());
    }
    of.all_done.count_down();
    self->quit();
    return;
  }
  const auto begun = clock::now();
  tell(self, of.writer, facts[state.told++], [=, &facts, &of](const write_reply& reply) {
    self->state.latencies.push_back(micros_since(begun));
    if (!reply) {
      const std::scoped_lock lock{of.guard};
      of.trouble = reply.error().message;
    }
    tell_next(self, facts, of);
  });
}

teller::behavior_type tell_all(teller_pointer self, const std::vector<fact_ptr>* facts, telling* of) {
  tell_next(self, *facts, *of);
  return {[](const later& due) { due.act(); }};
}

/// The actors of a node that commits go through, on a scheduler that is set as the node's.
class writer_candidate final : public candidate {
 public:
  writer_candidate(const std::filesystem::path& path, const place& where)
      : candidate(path, where), system_(configured(config_)) {
    hub_.set(spawn_event_hub(system_, {}));
    checkpointer_.set(spawn_log_checkpointer(system_, checkpointer_deps(options()), placement::own_thread));
    auto deps = writer_deps(options(), lease_epoch{1}, hub_, checkpointer_);
    writer_.actor.set(spawn_database_writer(system_, std::move(deps), placement::own_thread));
  }
  writer_candidate(const writer_candidate&) = delete;
  writer_candidate& operator=(const writer_candidate&) = delete;

  ~writer_candidate() override {
    caf::anon_send_exit(writer_.actor.get(), caf::exit_reason::user_shutdown);
    caf::anon_send_exit(checkpointer_.get(), caf::exit_reason::user_shutdown);
    caf::anon_send_exit(hub_.get(), caf::exit_reason::user_shutdown);
    writer_.actor.set({});
    checkpointer_.set({});
    hub_.set({});
    system_.await_all_actors_done();
  }

  cost commit(const round_of_facts& facts, std::int64_t /*commits*/) override {
    telling of;
    of.writer = writer_;
    const auto before = commits_so_far();
    const stop_watch watch;
    for (const auto& one : facts.producers) {
      system_.spawn(tell_all, &one.facts, &of);
    }
    of.all_done.wait();
    const auto took = watch.per_fact(facts_of_round);
    commits_ = commits_so_far() - before;
    if (!of.trouble.empty()) {
      throw std::runtime_error{of.trouble};
    }
    latencies_ = std::move(of.latencies);
    return took;
  }

  std::int64_t commits() const noexcept { return commits_; }
  const sample& latencies() const noexcept { return latencies_; }

 private:
  static caf::actor_system_config& configured(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-throughput", std::size_t{300});
    return config;
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  service<event_hub> hub_;
  writer_access writer_{{}, write_credit{}, lease_epoch{1}};
  service<log_checkpointer> checkpointer_;
  std::int64_t commits_ = producer_count;
  sample latencies_;
};

class pool_candidate final : public candidate {
 public:
  pool_candidate(const std::filesystem::path& path, const place& where) : candidate(path, where) {
    for (int i = 0; i < producer_count; ++i) {
      pool_.emplace_back(options());
    }
  }

  cost commit(const round_of_facts& facts, std::int64_t /*commits*/) override {
    std::latch ready{producer_count};
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> committed{0};
    std::atomic<bool> failed{false};
    latencies_.clear();
    const stop_watch watch;
    std::vector<std::thread> threads;
    for (auto& connection : pool_) {
      threads.emplace_back([&] {
        try {
          ready.arrive_and_wait();
          committed += work(connection, facts, next);
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
    const std::chrono::duration<double, std::micro> window = pool_window;
    return {window.count() / static_cast<double>(committed), watch.per_fact(committed).processor};
  }

  const sample& latencies() const noexcept { return latencies_; }

 private:
  /// Facts that were committed while the window was open.
  std::size_t work(bare_rows& connection, const round_of_facts& facts, std::atomic<std::size_t>& next) {
    const auto closes = clock::now() + pool_window;
    std::size_t in_time = 0;
    sample latencies;
    for (auto which = next++; which < facts.known.size() && clock::now() < closes; which = next++) {
      for (const auto& fact : facts.known[which]) {
        const auto begun = clock::now();
        const bool has_lock = connection.begin_before(closes);
        if (has_lock) {
          connection.write(fact);
          connection.commit();
        }
        latencies.push_back(micros_since(begun));  // of who gives up: at least
        if (!has_lock || clock::now() >= closes) {
          break;
        }
        ++in_time;
      }
    }
    const std::scoped_lock lock{guard_};
    latencies_.insert(latencies_.end(), latencies.begin(), latencies.end());
    return in_time;
  }

  std::vector<bare_rows> pool_;
  std::mutex guard_;
  sample latencies_;
};

// ---------------------------------------------------------------------------------------------------------------------

struct column {
  sample time;
  sample processor;

  void add(const cost& each) {
    time.push_back(each.time);
    processor.push_back(each.processor);
  }
};

struct measured {
  column bare;
  column session;
  column writer;
  column pool;
  sample batch;
  sample writer_latency;
  sample pool_latency;
};

void append(sample& to, const sample& more) { to.insert(to.end(), more.begin(), more.end()); }

measured measure(const std::filesystem::path& folder, const place& where, std::size_t rounds) {
  bare_candidate bare{folder / "bare.db", where};
  session_candidate session{folder / "session.db", where};
  writer_candidate writer{folder / "writer.db", where};
  pool_candidate pool{folder / "pool.db", where};
  measured all;
  const std::vector<std::pair<candidate*, column*>> in_turn{
      {&writer, &all.writer}, {&session, &all.session}, {&bare, &all.bare}, {&pool, &all.pool}};
  constexpr int warm_up = 3;
  for (int round = -warm_up; round < static_cast<int>(rounds); ++round) {
    const round_of_facts facts{round};
    const round_of_facts for_pool{round, producer_count * pool_rounds_worth};
    for (std::size_t i = 0; i < in_turn.size(); ++i) {
      const auto& [which, into] = in_turn[round % 2 == 0 ? i : in_turn.size() - 1 - i];
      const auto& given = which == &pool ? for_pool : facts;
      which->prepare(given);
      const auto each = which->commit(given, writer.commits());
      if (round >= 0) {
        into->add(each);
      }
    }
    if (round >= 0) {
      all.batch.push_back(static_cast<double>(facts_of_round) / static_cast<double>(writer.commits()));
      append(all.writer_latency, writer.latencies());
      append(all.pool_latency, pool.latencies());
    }
  }
  return all;
}

/// Otherwise nothing is compared.
void must_be_the_same_rows(const std::filesystem::path& folder) {
  const auto expected = sha256_hex(all_rows(folder / "writer.db"));
  for (const char* name : {"session.db", "bare.db"}) {
    if (sha256_hex(all_rows(folder / name)) != expected) {
      throw std::runtime_error{std::string{name} + " does not hold the rows that the writer wrote: perf/bare_rows.cpp"};
    }
  }
}

double per_second(const column& of) { return 1e6 / median(of.time); }

void tell_rates(report& to, const measured& all) {
  char line[200];
  std::snprintf(line,
                sizeof line,
                "facts per second: bare %.0f, session %.0f, writer %.0f, pool %.0f",
                per_second(all.bare),
                per_second(all.session),
                per_second(all.writer),
                per_second(all.pool));
  to.remark(line);
}

void commits_at(report& to, const place& where) {
  const temporary_database folder;
  const auto all = measure(folder.folder(), where, to.with().rounds(30));
  must_be_the_same_rows(folder.folder());
  to.section("commits at " + where.name + ", 32 producers");
  to.figure("bare: SQLite alone, same rows, same batches", "us/fact", all.bare.time);
  to.figure("session: the writer's work without its actors", "us/fact", all.session.time);
  to.figure("writer", "us/fact", all.writer.time);
  to.figure("pool: a connection each, BEGIN IMMEDIATE per fact", "us/fact", all.pool.time);
  to.figure("processor time: bare", "us/fact", all.bare.processor);
  to.figure("processor time: session", "us/fact", all.session.processor);
  to.figure("processor time: writer and producers", "us/fact", all.writer.processor);
  to.figure("processor time: pool", "us/fact", all.pool.processor);
  to.figure("writer, from telling to receipt", "us", all.writer_latency);
  to.figure("pool, from BEGIN to COMMIT", "us", all.pool_latency);
  to.figure("facts in a batch of the writer", "", all.batch);
  tell_rates(to, all);
  to.at_least("WR-8", where.name + ": writer over bare", all.bare.time, all.writer.time, 0.8);
  if (where.synchronous == storage_options::durability::full) {
    to.at_least("WR-8", where.name + ": writer over pool", all.pool.time, all.writer.time, 5);
  } else {
    to.compare(where.name + ": writer over pool", all.pool.time, all.writer.time);
  }
  to.compare(where.name + ": session over bare", all.bare.time, all.session.time);
  to.compare(where.name + ": writer over session", all.session.time, all.writer.time);
}

void disk(report& to) {
  const temporary_folder place;
  const int file = ::open((place / "sync").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  sample took;
  for (std::size_t i = 0; i < to.with().rounds(200); ++i) {
    if (::pwrite(file, page.data(), page.size(), 0) != static_cast<ssize_t>(page.size())) {
      throw std::runtime_error{"cannot write into the temporary folder"};
    }
    const auto begun = clock::now();
    ::fdatasync(file);
    took.push_back(micros_since(begun));
  }
  ::close(file);
  to.section("the disk below");
  to.figure("fdatasync after 4 KiB in the place of others", "us", took);
}

int run(int count, char** arguments) {
  const auto chosen = parse_options(count, arguments);
  if (!chosen) {
    return 2;
  }
  static_cast<void>(commits_so_far());  // counts the connections that are opened from now on
  report to{"commit_benchmark", *chosen};
  disk(to);
  using durability = storage_options::durability;
  commits_at(to, {"FULL", durability::full, ""});
  commits_at(to, {"NORMAL", durability::normal, ""});
  commits_at(to, {"FULL, sync + 1 ms", durability::full, slow_disk(std::chrono::milliseconds{1})});
  return to.finish();
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
