#include "storage/read_pool.hpp"

#include "messages/base/invariant.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using sessions = std::vector<std::unique_ptr<read_session>>;

struct resting_session {
  std::unique_ptr<read_session> session;
  std::chrono::microseconds since;
};

// On the stack of whoever waits; reached under the mutex only.
struct waiting_borrower {
  std::condition_variable called;
  bool has_turn = false;
  std::unique_ptr<read_session> session;  // what it was handed; null where it is to open one
};

}  // namespace

// A permit is the right to have a connection open: taken by claim, and either given back or handed to the next in line,
// with the connection or without it.
struct read_loan::pool_state {
  explicit pool_state(read_pool_options with) : options(std::move(with)) {
    idle_.reserve(options.readers_max);  // so that giving back allocates nothing
  }

  // Null: a permit without a connection.
  result<std::unique_ptr<read_session>> claim(milliseconds patience) {
    std::unique_lock lock{guard_};
    if (!paused_ && waiting_.empty() && in_use_ < options.readers_max) {
      ++in_use_;
      return take_rested();
    }
    ++counts_.waits;
    const auto began = options.elapsed();
    waiting_borrower self;
    waiting_.push_back(&self);
    self.called.wait_for(lock, patience, [&] { return self.has_turn; });
    counts_.longest_wait = std::max(counts_.longest_wait, options.elapsed() - began);
    if (self.has_turn) {
      return std::move(self.session);
    }
    std::erase(waiting_, &self);
    ++counts_.timeouts;
    return all_in_use(patience);
  }

  void give_back(std::unique_ptr<read_session> session) noexcept {
    sessions leaving;  // closed after the lock is gone
    const std::scoped_lock lock{guard_};
    if (!paused_ && !waiting_.empty()) {
      hand_to_next(std::move(session));
      return;
    }
    --in_use_;
    if (session) {
      idle_.push_back({std::move(session), options.elapsed()});
    }
    leaving = take_overdue();
    if (paused_ && in_use_ == 0) {
      nothing_lent_.notify_one();
    }
  }

  // False: nothing has changed.
  bool pause(milliseconds patience) {
    std::unique_lock lock{guard_};
    if (paused_) {
      return false;
    }
    paused_ = true;
    if (nothing_lent_.wait_for(lock, patience, [&] { return in_use_ == 0; })) {
      return true;
    }
    resume();
    return false;
  }

  void end_pause() noexcept {
    const std::scoped_lock lock{guard_};
    resume();
  }

  sessions take_idle() noexcept {
    const std::scoped_lock lock{guard_};
    return take_first(idle_.size());
  }

  read_pool_view view() const {
    const std::scoped_lock lock{guard_};
    auto now = counts_;
    now.readers_max = static_cast<std::int64_t>(options.readers_max);
    now.idle = static_cast<std::int64_t>(idle_.size());
    now.in_use = static_cast<std::int64_t>(in_use_);
    now.waiting = static_cast<std::int64_t>(waiting_.size());
    return now;
  }

  template <class Change>
  void count(Change change) {
    const std::scoped_lock lock{guard_};
    change(counts_);
  }

  const read_pool_options options;

 private:
  void hand_to_next(std::unique_ptr<read_session> session) {
    auto& next = *waiting_.front();
    waiting_.pop_front();
    next.session = std::move(session);
    next.has_turn = true;
    next.called.notify_one();
  }

  void resume() {
    paused_ = false;
    while (!waiting_.empty() && in_use_ < options.readers_max) {
      ++in_use_;
      hand_to_next(take_rested());
    }
  }

  // The one that was used last: its pages are the warmest, and the others may come to their end.
  std::unique_ptr<read_session> take_rested() {
    if (idle_.empty()) {
      return nullptr;
    }
    auto session = std::move(idle_.back().session);
    idle_.pop_back();
    return session;
  }

  sessions take_overdue() {
    const auto now = options.elapsed();
    std::size_t overdue = 0;
    while (idle_.size() - overdue > options.idle_min && now - idle_[overdue].since >= options.rest_max) {
      ++overdue;
    }
    return take_first(overdue);
  }

  sessions take_first(std::size_t count) {
    sessions taken;
    const auto end = idle_.begin() + static_cast<std::ptrdiff_t>(count);
    std::transform(
        idle_.begin(), end, std::back_inserter(taken), [](resting_session& each) { return std::move(each.session); });
    idle_.erase(idle_.begin(), end);
    return taken;
  }

  error all_in_use(milliseconds patience) const {
    const auto limit = std::to_string(options.readers_max);
    return {error_code::backpressure,
            "all " + limit + " connections for reading were in use for " + std::to_string(patience.count()) + " ms",
            "ask again; where it happens often, raise storage.readers_max"};
  }

  mutable std::mutex guard_;
  std::vector<resting_session> idle_;  // the one that has rested longest is first
  std::deque<waiting_borrower*> waiting_;
  std::size_t in_use_ = 0;
  bool paused_ = false;
  std::condition_variable nothing_lent_;
  read_pool_view counts_;
};

read_loan::read_loan(std::shared_ptr<pool_state> from, std::unique_ptr<read_session> session) noexcept
    : from_(std::move(from)), session_(std::move(session)) {}

read_loan::~read_loan() {
  if (from_) {
    from_->give_back(std::move(session_));
  }
}

read_pause::read_pause(std::shared_ptr<read_loan::pool_state> of) noexcept : of_(std::move(of)) {}

read_pause::~read_pause() {
  if (of_) {
    of_->end_pause();
  }
}

read_pool::read_pool(read_pool_options options) : state_(std::make_shared<read_loan::pool_state>(std::move(options))) {
  const auto& given = state_->options;
  invariant(given.readers_max >= 1 && given.idle_min <= given.readers_max, "a pool of readers has room for its idle");
  invariant(given.elapsed != nullptr, "a pool of readers is given a time");
}

status read_pool::warm_up() {
  std::vector<read_loan> loans;
  for (std::size_t i = 0; i < state_->options.idle_min; ++i) {
    auto loan = borrow(milliseconds{0});
    if (!loan) {
      return loan.error();
    }
    loans.push_back(*std::move(loan));
  }
  return done;
}

result<read_loan> read_pool::borrow(milliseconds patience) {
  auto claimed = state_->claim(patience);
  if (!claimed) {
    return claimed.error();
  }
  read_loan loan{state_, *std::move(claimed)};  // from here on the permit cannot be lost
  const bool broken = loan.session_ && !loan.session_->healthy();
  if (broken) {
    loan.session_.reset();
  }
  const bool opens = !loan.session_;
  if (opens) {
    auto opened = read_session::open(state_->options.storage);
    if (!opened) {
      return opened.error();
    }
    loan.session_ = *std::move(opened);
  }
  state_->count([&](read_pool_view& counts) {
    ++counts.loans;
    counts.opened += opens ? 1 : 0;
    counts.replaced += broken ? 1 : 0;
  });
  return loan;
}

void read_pool::close_idle() noexcept { static_cast<void>(state_->take_idle()); }

std::optional<read_pause> read_pool::pause(milliseconds patience) {
  if (!state_->pause(patience)) {
    return std::nullopt;
  }
  return read_pause{state_};
}

read_pool_view read_pool::view() const { return state_->view(); }

}  // namespace troupe
