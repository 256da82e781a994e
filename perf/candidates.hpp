// Ways of committing facts that are measured beside each other, each on a database of its own.
//
//   bare     one loop over SQLite, known rows, kept statements, batches of the size that the writer had
//   session  one loop over write_session: what the writer does without its actors
//   writer   producers that are actors, each of which tells its next fact when the last is committed
//   pool     producers that take a connection of a pool for each fact: known rows, BEGIN IMMEDIATE per fact, as many as
//            they get committed in a while
#pragma once

#include "perf/bare_rows.hpp"
#include "perf/statistics.hpp"
#include "storage/storage_options.hpp"
#include "storage/write_session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::perf {

/// Where and how facts are committed.
struct place {
  std::string name;
  storage_options::durability synchronous = storage_options::durability::full;
  std::string vfs;
};

/// What is told in a round: three facts for each task, one producer for each run.
struct load {
  int producers = 32;
  int tasks_each = 10;

  std::size_t facts() const noexcept { return static_cast<std::size_t>(producers) * tasks_each * 3; }
};

class round_of_facts {
 public:
  /// Of runs that no other round has. `producers` may be more than tell at once: a pool takes the next ones then.
  round_of_facts(int number, const load& each);

  std::size_t facts() const noexcept { return producers_.size() * known_.front().size(); }
  const std::vector<producer>& producers() const noexcept { return producers_; }
  const std::vector<std::vector<known_fact>>& known() const noexcept { return known_; }

  /// In turns, as producers that wait for each other's batches tell them.
  template <class Act>
  void for_each(Act act) const {
    for (std::size_t i = 0; i < known_.front().size(); ++i) {
      for (const auto& facts : known_) {
        act(facts[i]);
      }
    }
  }

 private:
  std::vector<producer> producers_;
  std::vector<std::vector<known_fact>> known_;
};

/// What a round came to.
struct round_cost {
  double time = 0;           ///< Microseconds for each fact.
  double processor = 0;      ///< The same of processor time, of all threads.
  std::int64_t commits = 0;  ///< 0: not counted.
  sample latencies;          ///< Microseconds that each waited until it was committed; empty where nobody waits.
};

class candidate {
 public:
  candidate(const std::filesystem::path& path, const place& where);
  candidate(const candidate&) = delete;
  candidate& operator=(const candidate&) = delete;
  virtual ~candidate() = default;

  /// Creates the runs of a round.
  void prepare(const round_of_facts& facts);

  /// Blocks. `commits` is how many batches of nearly the same size to make, where that is for others to say. Throws what
  /// goes wrong.
  virtual round_cost commit(const round_of_facts& facts, std::int64_t commits) = 0;

  const storage_options& options() const noexcept { return options_; }

 protected:
  write_session& session() noexcept { return *session_; }

 private:
  storage_options options_;
  std::unique_ptr<write_session> session_;  ///< Open all the time: the last one to close empties the log.
};

/// Its latencies are those of its batches, from BEGIN to COMMIT.
std::unique_ptr<candidate> bare_candidate(const std::filesystem::path& path, const place& where);

std::unique_ptr<candidate> session_candidate(const std::filesystem::path& path, const place& where);

/// The actors of a node that commits go through, on a scheduler that is set as the node's. Its latencies are those from
/// telling a fact to its receipt.
std::unique_ptr<candidate> writer_candidate(const std::filesystem::path& path, const place& where);

struct pool_terms {
  std::size_t connections = 32;           ///< And threads.
  std::size_t producers = 32;             ///< Who finds no connection free waits in line for one.
  std::chrono::milliseconds window{150};  ///< How long a round lasts.
};

/// Its latencies are those from wanting a connection to COMMIT; of those who give up at the end of the window, until
/// then. A round should have more facts than can be committed in a window, and a window should be longer than waits are.
std::unique_ptr<candidate> pool_candidate(const std::filesystem::path& path,
                                          const place& where,
                                          const pool_terms& terms);

/// A clock's two hands: time, and processor time of all threads.
class stop_watch {
 public:
  /// What has passed, in parts.
  round_cost per_fact(std::size_t facts) const;

 private:
  static double processor_time();

  double processor_begun_ = processor_time();
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

double micros_since(std::chrono::steady_clock::time_point begun);

}  // namespace troupe::perf
