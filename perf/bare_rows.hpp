// What the writer is measured against: SQLite alone. The rows of a fact are known beforehand and are written with kept
// statements, without a look at what is there, without savepoints, hashes and JSON.
#pragma once

#include "messages/writes.hpp"
#include "storage/database.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::perf {

using fact_ptr = std::shared_ptr<const write_command>;

/// One agent after the other in one run: a start, an output and an end each.
struct producer {
  create_run created;
  std::vector<fact_ptr> facts;
};

/// Runs that no other round has. Every task prints `output_bytes`.
std::vector<producer> producers_of_round(int round, int producers, int tasks, std::size_t output_bytes);

/// A fact with all that its rows hold beside it.
struct known_fact {
  fact_ptr what;
  std::array<std::uint8_t, 32> hash{};
  std::string data;  ///< Of its event.
  std::int64_t last_seq = 0;
  std::int64_t steps = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

/// In the order in which the facts of one producer are told.
std::vector<known_fact> known_facts(const producer& one);

/// A connection as the runtime opens it. Used by one thread at a time; throws what SQLite says.
class bare_rows {
 public:
  explicit bare_rows(const storage_options& options);
  bare_rows(bare_rows&&) noexcept;
  bare_rows& operator=(bare_rows&&) = delete;
  ~bare_rows();

  void begin();  ///< IMMEDIATE
  /// The same, waiting for the lock as SQLite's busy_timeout does, but only until `closes`. False: no transaction.
  bool begin_before(std::chrono::steady_clock::time_point closes);
  void write(const known_fact& fact);
  void commit();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Commits of every connection that was opened after the first call, in this process.
std::int64_t commits_so_far();

}  // namespace troupe::perf
