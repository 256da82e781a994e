// Read-only connections that are lent for one question after another, since opening one costs more than most questions.
//
//   auto loan = pool->borrow(patience);
//   if (loan) { (*loan)->find_run(run); }   // goes back to the pool with the loan
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "messages/views.hpp"
#include "storage/read_session.hpp"
#include "storage/storage_options.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace troupe {

struct read_pool_options {
  storage_options storage;
  std::size_t readers_max = 10;   ///< Open at once; at least 1.
  std::size_t idle_min = 2;       ///< Kept open however long nobody asks; no more than readers_max.
  milliseconds rest_max{60'000};  ///< A connection beyond idle_min that nobody took for so long is closed.

  /// Time since some moment in the past, never going back: storage reads no clock. For rest_max and the statistics;
  /// waiting itself is the condition variable's. Any thread.
  std::function<std::chrono::microseconds()> elapsed;
};

/// One connection, for one thread at a time and as short as can be. Goes back when it is destroyed; may outlive the pool.
class read_loan {
 public:
  read_loan(read_loan&&) noexcept = default;
  read_loan& operator=(read_loan&&) = delete;
  ~read_loan();

  read_session* operator->() const noexcept { return session_.get(); }
  read_session& operator*() const noexcept { return *session_; }

 private:
  friend class read_pause;
  friend class read_pool;
  struct pool_state;
  read_loan(std::shared_ptr<pool_state> from, std::unique_ptr<read_session> session) noexcept;

  std::shared_ptr<pool_state> from_;
  std::unique_ptr<read_session> session_;
};

/// No connection is lent while this lives; who asks for one waits. May outlive the pool.
class read_pause {
 public:
  read_pause(read_pause&&) noexcept = default;
  read_pause& operator=(read_pause&&) = delete;
  ~read_pause();

 private:
  friend class read_pool;
  explicit read_pause(std::shared_ptr<read_loan::pool_state> of) noexcept;

  std::shared_ptr<read_loan::pool_state> of_;
};

/// Any thread.
///
/// Invariants (each with a test of its name in tests/storage/read_pool_test.cpp):
///   1. No more than readers_max connections are open at once.
///   2. Who waits is served in the order of coming; nobody overtakes.
///   3. What is lent has just answered a question and reads the file that is at the path now; any other connection is
///      closed and another opened in its place.
///   4. A connection that rests, and a loan between two questions, holds no transaction: no reader keeps the log from
///      being checkpointed and begun anew.
class read_pool {
 public:
  /// Opens nothing yet.
  explicit read_pool(read_pool_options options);

  /// Opens idle_min connections, so that the first questions need not. Errors: as database::open_read_only.
  status warm_up();

  /// Waits for its turn, `patience` at most, and then as long as SQLite takes to answer or to open. Errors:
  ///   BACKPRESSURE  every connection was in use for as long as that: the bound is ours, no other program is to blame
  ///   STORAGE_*     as database::open_read_only
  result<read_loan> borrow(milliseconds patience);

  /// Closes what rests, so that the writer, who closes last, finds the file without readers. The next loan opens again.
  void close_idle() noexcept;

  /// Waits, `patience` at most, until nothing is lent, which takes as long as the longest question under way. For a
  /// checkpoint of the log while readers take turns without a gap: it finds the log unused, and the next commit begins it
  /// anew. Nothing, and all goes on, where a question took longer, or where another pause is under way.
  std::optional<read_pause> pause(milliseconds patience);

  read_pool_view view() const;

 private:
  std::shared_ptr<read_loan::pool_state> state_;
};

}  // namespace troupe
