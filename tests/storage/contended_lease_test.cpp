// WR-5 with sixteen processes that all want to write: some are stopped, some killed, some let go, at instants that a seed
// chooses. Each tells what it does on one file that all append to; the order of its lines is the order of the deeds.
//
// TROUPE_SEED=7 sets the seed.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// The same clock in all processes of the machine.
std::int64_t now_us() { return std::chrono::duration_cast<microseconds>(clock::now().time_since_epoch()).count(); }

enum class deed : char {
  took = 'T',         // the lease
  wrote = 'W',        // and was acknowledged
  gave_up = 'G',      // the lease, of its own will
  was_stale = 'S',    // a write after that, when another owner had come, was refused with STALE_EPOCH
  wrote_stale = 'X',  // it was not
  misbehaved = 'M',   // something failed that cannot
};

struct line {
  deed what = deed::misbehaved;
  std::int32_t pid = 0;
  std::int64_t epoch = 0;
  std::int64_t number = 0;  // of the write, or an error code
  std::int64_t at_us = 0;
};

// One of the sixteen. Takes the lease whenever it can, writes some runs, lets go of it, and then tries to write once more
// under its old epoch.
class contender {
 public:
  contender(storage_options options, int told_to, std::uint64_t seed)
      : options_(std::move(options)), told_to_(told_to), random_(seed) {}

  [[noreturn]] void contend() {
    while (true) {
      auto taken = lease::acquire(options_, {::getpid(), "there", at_second(::getpid())});
      if (taken) {
        own(*std::move(taken));
      } else if (taken.error().code != error_code::lease_held) {
        tell(deed::misbehaved, static_cast<std::int64_t>(taken.error().code));
      }
      std::this_thread::sleep_for(microseconds{200 + random_() % 1'000});  // its own pace; nobody waits for it
    }
  }

 private:
  void own(lease taken) {
    epoch_ = taken.epoch().value();
    tell(deed::took);
    auto opened = write_session::open(options_, taken.epoch());
    if (!opened) {
      tell(deed::misbehaved, static_cast<std::int64_t>(opened.error().code));
      return;
    }
    const auto runs = static_cast<std::int64_t>(1 + random_() % 12);
    for (std::int64_t n = 0; n < runs; ++n) {
      story told{"e" + std::to_string(epoch_) + "-" + std::to_string(n)};
      const auto written = write_one(**opened, told.created());
      if (!written) {
        tell(deed::misbehaved, static_cast<std::int64_t>(written.error().code));
        return;
      }
      tell(deed::wrote, n);
    }
    tell(deed::gave_up);
    { const auto gone = std::move(taken); }
    outlive(**opened);
  }

  // The lock is gone and the session is not: what write_session::begin is there for.
  void outlive(write_session& session) {
    for (int tries = 0; tries < 200; ++tries) {
      const auto info = describe_database(options_);
      if (info && info->epoch.value() > epoch_) {
        story told{"stale-" + std::to_string(epoch_)};
        const auto written = write_one(session, told.created());
        if (written) {
          tell(deed::wrote_stale);
        } else if (written.error().code == error_code::stale_epoch) {
          tell(deed::was_stale);
        } else {
          tell(deed::misbehaved, static_cast<std::int64_t>(written.error().code));
        }
        return;
      }
      std::this_thread::sleep_for(microseconds{500});
    }
  }

  void tell(deed what, std::int64_t number = 0) const {
    const line told{what, ::getpid(), epoch_, number, now_us()};
    if (::write(told_to_, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) {
      ::_exit(4);
    }
  }

  storage_options options_;
  int told_to_;
  std::mt19937_64 random_;
  std::int64_t epoch_ = 0;
};

class contended_lease_test : public testing::Test {
 protected:
  static constexpr int contenders = 16;

  contended_lease_test() { options_.busy_timeout = milliseconds{5'000}; }

  void SetUp() override { ASSERT_GE(file_, 0); }

  ~contended_lease_test() override {
    for (const auto pid : living_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    ::close(file_);
  }

  void add(std::uint64_t seed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      contender{options_, file_, seed}.contend();
    }
    living_.push_back(pid);
  }

  void kill(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    std::erase(living_, pid);
  }

  // All lines so far. Reads only what is new.
  const std::vector<line>& deeds() {
    line next;
    while (::pread(file_, &next, sizeof next, static_cast<off_t>(deeds_.size() * sizeof next)) ==
           static_cast<ssize_t>(sizeof next)) {
      deeds_.push_back(next);
    }
    return deeds_;
  }

  // Who holds the lease now, as far as it has told.
  std::optional<line> owner() {
    const auto& all = deeds();
    const auto last = std::find_if(all.rbegin(), all.rend(), [](const line& each) {
      return each.what == deed::took || each.what == deed::gave_up;
    });
    return last == all.rend() || last->what == deed::gave_up ? std::nullopt : std::optional{*last};
  }

  line last_taken() {
    const auto& all = deeds();
    const auto last = std::find_if(all.rbegin(), all.rend(), [](const line& each) { return each.what == deed::took; });
    return last == all.rend() ? line{} : *last;
  }

  // It is stopped, so it cannot let go; whether it had let go before the signal came is known when it has stopped.
  void expect_stopped_owner_keeps_the_lease(pid_t pid) {
    ASSERT_TRUE(becomes_true([&] { return state_of(pid).first == 'T'; }));
    const auto held = owner();
    if (!held || held->pid != pid) {
      return;
    }
    const auto lines = deeds().size();
    for (int tries = 0; tries < 3; ++tries) {
      const auto refused = lease::acquire(options_, {::getpid(), "here", at_second(0)});
      ASSERT_FALSE(refused) << "two owners";
      ASSERT_EQ(refused.error().code, error_code::lease_held);
      const auto named = "process " + std::to_string(pid) + " on there, since " + to_rfc3339(at_second(pid)) + ",";
      ASSERT_EQ(refused.error().message.rfind(named, 0), 0U) << refused.error().message;
      std::this_thread::sleep_for(microseconds{500});  // so that the others try, too
    }
    const auto& all = deeds();
    for (auto each = all.begin() + static_cast<std::ptrdiff_t>(lines); each != all.end(); ++each) {
      EXPECT_NE(each->what, deed::took) << "taken from a stopped owner";
      EXPECT_NE(each->what, deed::wrote) << "written beside a stopped owner";
    }
    ++stops_of_owners_;
  }

  temporary_database place_;
  storage_options options_ = place_.options();
  std::filesystem::path path_ = place_.folder() / "deeds";
  int file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::vector<pid_t> living_;
  std::vector<line> deeds_;
  int stops_of_owners_ = 0;
};

// In the order of the file: epochs grow, and who writes or lets go is the one who took the lease last.
struct account {
  std::int64_t epoch = 0;
  std::int64_t pid = 0;
  bool owned = false;
  std::int64_t owners = 0;
  std::int64_t writes = 0;
  std::int64_t stale = 0;
  std::map<std::int64_t, std::int64_t> writes_of;

  void take(const line& next) {
    switch (next.what) {
      case deed::took:
        EXPECT_GT(next.epoch, epoch) << "an epoch came twice, or went back";
        epoch = next.epoch;
        pid = next.pid;
        owned = true;
        ++owners;
        return;
      case deed::wrote:
        EXPECT_TRUE(owned && next.epoch == epoch && next.pid == pid)
            << "epoch " << next.epoch << " wrote beside " << epoch;
        ++writes;
        ++writes_of[next.epoch];
        return;
      case deed::gave_up:
        EXPECT_TRUE(owned && next.epoch == epoch && next.pid == pid);
        owned = false;
        return;
      case deed::was_stale:
        EXPECT_LE(next.epoch, epoch);  // the new owner is in the row a moment before it says so here
        ++stale;
        return;
      case deed::wrote_stale:
        ADD_FAILURE() << "epoch " << next.epoch << " wrote after " << epoch << " had come";
        return;
      case deed::misbehaved:
        ADD_FAILURE() << "process " << next.pid << " of epoch " << next.epoch << " failed with code " << next.number;
        return;
    }
  }
};

TEST_F(contended_lease_test, has_one_owner_at_a_time_whoever_is_stopped_or_killed) {
  constexpr int rounds = 150;  // and more on a busy machine, until enough of each has happened
  constexpr int rounds_max = 2'000;
  constexpr std::int64_t enough = 10;
  const char* const given = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int i = 0; i < contenders; ++i) {
    add(random());
  }
  std::vector<std::int64_t> taken_over_after;
  const auto has_enough = [&] {
    const auto stale = std::ranges::count(deeds(), deed::was_stale, &line::what);
    return stale >= enough && stops_of_owners_ >= enough && std::ssize(taken_over_after) >= enough;
  };
  for (int round = 0; (round < rounds || !has_enough()) && round < rounds_max && !HasFailure(); ++round) {
    ASSERT_TRUE(becomes_true([&] { return owner().has_value(); }));
    std::this_thread::sleep_for(microseconds{random() % 6'000});  // the instant is the point
    const auto held = owner();
    const pid_t victim = held && random() % 4 != 0 ? held->pid : living_[random() % living_.size()];
    if (random() % 2 == 0) {
      ::kill(victim, SIGSTOP);
      expect_stopped_owner_keeps_the_lease(victim);
      ::kill(victim, SIGCONT);
      continue;
    }
    kill(victim);
    const auto killed_at = now_us();
    const auto at_death = owner();
    add(random());
    if (at_death && at_death->pid == victim) {
      ASSERT_TRUE(becomes_true([&] { return last_taken().epoch > at_death->epoch; }))
          << "nobody took a dead owner's lease";
      const auto next = std::ranges::find_if(
          deeds(), [&](const line& each) { return each.what == deed::took && each.epoch > at_death->epoch; });
      taken_over_after.push_back(std::max<std::int64_t>(next->at_us - killed_at, 0));
    }
  }
  for (const auto pid : std::vector{living_}) {
    kill(pid);
  }
  account of;
  for (const auto& each : deeds()) {
    of.take(each);
  }
  std::ranges::sort(taken_over_after);
  ASSERT_GE(std::ssize(taken_over_after), enough) << "too few owners were killed to say anything";
  const auto p95 = taken_over_after[taken_over_after.size() * 95 / 100];
  std::cout << "seed " << seed << ": " << of.owners << " owners, " << of.writes << " writes, "
            << taken_over_after.size() << " owners killed, their lease taken after "
            << taken_over_after[taken_over_after.size() / 2] << " us (p50), " << p95 << " us (p95); "
            << stops_of_owners_ << " stopped and refused to others; " << of.stale << " stale writes refused\n";
  EXPECT_GE(stops_of_owners_, enough);
  EXPECT_GE(of.stale, enough);
  EXPECT_LT(p95, 1'000'000) << "there is a time-out somewhere";

  const auto last = lease::acquire(options_, {::getpid(), "here", at_second(0)});
  ASSERT_TRUE(last);
  EXPECT_GT(last->epoch().value(), of.epoch);
  const auto findings = check_database(options_);
  ASSERT_TRUE(findings);
  for (const auto& each : *findings) {
    ADD_FAILURE() << each.rule << ": " << each.text;
  }
  EXPECT_EQ(count_of(place_.path(), "SELECT count(*) FROM runs WHERE run_id LIKE 'stale-%'"), 0);
  EXPECT_EQ(count_of(place_.path(), "SELECT count(*) FROM runs WHERE run_id NOT LIKE 'e' || epoch || '-%'"), 0)
      << "a row of one epoch, written by another";
  for (const auto& [epoch, writes] : of.writes_of) {
    const auto rows = count_of(place_.path(), "SELECT count(*) FROM runs WHERE epoch = " + std::to_string(epoch));
    EXPECT_TRUE(rows == writes || rows == writes + 1)
        << "epoch " << epoch << ": " << rows << " rows, " << writes << " told";
  }
}

TEST_F(contended_lease_test, a_dead_owners_lease_is_free_when_its_death_is_known) {
  std::vector<std::int64_t> took;
  for (int i = 0; i < 40; ++i) {
    add(static_cast<std::uint64_t>(i));
    const auto pid = living_.back();
    ASSERT_TRUE(becomes_true([&] { return owner() && owner()->pid == pid; }));
    kill(pid);
    const auto before = now_us();
    const auto taken = lease::acquire(options_, {::getpid(), "here", at_second(0)});
    took.push_back(now_us() - before);
    ASSERT_TRUE(taken) << taken.error().message;
  }
  std::ranges::sort(took);
  std::cout << "the first try takes it, in " << took[took.size() / 2] << " us (p50), " << took[took.size() * 95 / 100]
            << " us (p95), with opening and recovery\n";
}

}  // namespace
}  // namespace troupe
