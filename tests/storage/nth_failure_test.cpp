// Every operation of the file system fails, each in a run of the script of its own: the n-th one, once or from then on,
// for n = 1, 2, 3, ... until the script meets no fault any more.
//
// Whatever fails: the error has a code, a message and a hint; what was acknowledged is there; what was refused is not
// there in part; broken() says so; and when the fault is gone, the same commands told again on a fresh session lead to
// the same rows as if nothing had happened.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/sweep.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/storage/workload.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

using operation = fault_vfs::operation;

struct kind_of_fault {
  operation on = operation::write;
  int code = 0;
  fault_vfs::part done = fault_vfs::part::nothing;
  const char* name = "";

  friend std::ostream& operator<<(std::ostream& out, const kind_of_fault& fault) { return out << fault.name; }
};

// A runtime's life with its database, from the lease to the last close.
class script {
 public:
  script(const storage_options& options, const std::vector<transaction_commands>& workload)
      : options_(options), workload_(&workload), acknowledged_(workload.size(), false) {}

  /// As far as it goes. False: something failed, as it should: with a typed error.
  bool run() { return acquire() && open() && tell_all() && read() && close(); }

  const std::string& last_error() const noexcept { return last_error_; }

 private:
  // Every error of the disk that anybody is told.
  bool fine(const char* what, const std::optional<error>& why) {
    if (!why) {
      return true;
    }
    last_error_ = std::string{what} + ": " + why->message;
    const bool typed = why->code == error_code::storage_full || why->code == error_code::storage_corrupt ||
                       why->code == error_code::storage_busy || why->code == error_code::storage_unavailable;
    EXPECT_TRUE(typed) << what << ": " << to_string(why->code) << ' ' << why->message;
    EXPECT_NE(why->message, "") << what;
    EXPECT_NE(why->hint, "") << what << ": " << why->message;
    return false;
  }

  template <class T>
  static std::optional<error> error_in(const result<T>& outcome) {
    return outcome ? std::nullopt : std::optional{outcome.error()};
  }

  bool acquire() {
    if (owner_) {
      return true;
    }
    auto taken = lease::acquire(options_, {4711, "here", at_second(0)});
    if (!taken) {
      return fine("acquire", taken.error());
    }
    owner_.emplace(*std::move(taken));
    return true;
  }

  bool open() {
    auto opened = write_session::open(options_, owner_->epoch());
    if (!opened) {
      return fine("open", opened.error());
    }
    session_ = *std::move(opened);
    return true;
  }

  bool tell_all() {
    for (std::size_t i = 0; i < workload_->size(); ++i) {
      const auto told = tell(*session_, (*workload_)[i]);
      if (!fine("tell", error_in(told))) {
        expect_refusal(told.error());
        session_.reset();
        return false;
      }
      for (const auto& one : *told) {
        EXPECT_TRUE(one.receipt.repeated || !acknowledged_[i]) << "transaction " << i << " was acknowledged, and lost";
      }
      acknowledged_[i] = true;
    }
    return true;
  }

  // Busy is a matter of waiting. After anything else the session is done with, and says so to everybody.
  void expect_refusal(const error& why) {
    if (why.code == error_code::storage_busy && !session_->broken()) {
      return;
    }
    EXPECT_TRUE(session_->broken()) << why.message;
    const auto begun = session_->begin();
    EXPECT_FALSE(begun);
    EXPECT_FALSE(session_->commit());
    fine("begin", error_in(begun));
  }

  bool read() {
    auto reader = read_session::open(options_);
    if (!fine("read", error_in(reader))) {
      return false;
    }
    const run_id run{"r-0"};
    return fine("find_run", error_in((*reader)->find_run(run))) &&
           fine("list_runs", error_in((*reader)->list_runs({}))) &&
           fine("list_tasks", error_in((*reader)->list_tasks(run))) &&
           fine("list_events", error_in((*reader)->list_events(run, event_seq{0}, 1'000))) &&
           fine("find_output", error_in((*reader)->find_output(run, step_id{"survey"}))) &&
           fine("load_recovery", error_in((*reader)->load_recovery(run))) &&
           fine("find_state", error_in((*reader)->find_state(run, superstep_no{1}))) &&
           fine("list_unfinished", error_in((*reader)->list_unfinished())) &&
           fine("list_leftovers", error_in((*reader)->list_leftovers()));
  }

  bool close() {
    session_.reset();  // analyses and checkpoints; what fails of that is nobody's loss
    return true;
  }

  storage_options options_;
  const std::vector<transaction_commands>* workload_;
  std::vector<bool> acknowledged_;
  std::string last_error_;
  std::optional<lease> owner_;
  std::unique_ptr<write_session> session_;
};

// The epoch tells how often the lease was taken, and that is another thing: a failed try may have counted.
std::string rows_told(const std::filesystem::path& file) {
  {
    SQLite::Database opened{file.string(), SQLite::OPEN_READWRITE};
    opened.exec(
        "UPDATE lease SET epoch = 1; UPDATE runs SET epoch = 1; UPDATE attempts SET epoch = 1;"
        " UPDATE events SET data = json_set(data, '$.epoch', 1) WHERE kind = 'run.resumed'");
  }
  return all_rows(file);
}

class nth_failure : public testing::TestWithParam<kind_of_fault> {
 protected:
  storage_options options_in(const temporary_database& place) const {
    auto options = place.options();
    options.vfs = disk.name();
    options.wal_autocheckpoint = 20;
    options.cache_kib = 100;  // so that pages are read again, and written to the log before the commit
    return options;
  }

  std::string undisturbed() const {
    const temporary_database place{fast_folder()};
    EXPECT_TRUE((script{options_in(place), workload}.run()));
    return rows_told(place.path());
  }

  // False: the script met no fault.
  bool survives(int n, bool for_ever, const std::string& expected) {
    const temporary_database place{fast_folder()};
    script told{options_in(place), workload};
    disk.arm({GetParam().on, n, GetParam().code, for_ever, "", GetParam().done});
    int failures = 0;
    while (!told.run() && !HasFailure()) {
      ++failures;
      if (for_ever && failures == 2) {
        EXPECT_TRUE(disk.heal());
      }
      if (failures > 4) {
        ADD_FAILURE() << "it goes on failing when the fault is gone: " << told.last_error();
      }
    }
    const bool struck = disk.heal() || failures > 0;
    if (HasFailure()) {
      return struck;
    }
    const auto findings = check_database(place.options());
    EXPECT_TRUE(findings && findings->empty()) << (findings ? findings->front().text : findings.error().message);
    EXPECT_EQ(rows_told(place.path()), expected);
    return struck;
  }

  fault_vfs disk{"nth_failure"};
  std::vector<transaction_commands> workload = make_workload(2);
};

TEST_P(nth_failure, costs_nothing_that_was_acknowledged) {
  const auto expected = undisturbed();
  const auto seed = sweep_seed();
  std::mt19937_64 random{seed};
  for (const bool for_ever : {false, true}) {
    int tried = 0;
    int n = 1;
    // The first ones and then some: a run has hundreds of reads and locks, most of them alike.
    for (;; n += sweeps_all() || n < 10 ? 1 : 1 + static_cast<int>(random() % 50U)) {
      SCOPED_TRACE("number " + std::to_string(n) + (for_ever ? " and all that follow" : "") + ", seed " +
                   std::to_string(seed));
      ++tried;
      if (!survives(n, for_ever, expected)) {
        break;
      }
      ASSERT_FALSE(HasFailure());
    }
    ASSERT_FALSE(HasFailure());
    EXPECT_GT(n, 1) << "the script never does this";
    std::cout << GetParam().name << (for_ever ? " for ever: " : " once: ") << tried
              << " scripts, the last with n = " << n << '\n';
  }
}

INSTANTIATE_TEST_SUITE_P(
    of,
    nth_failure,
    testing::Values(kind_of_fault{operation::open, 0, fault_vfs::part::nothing, "open"},
                    kind_of_fault{operation::read, 0, fault_vfs::part::nothing, "read"},
                    kind_of_fault{operation::read, 0, fault_vfs::part::first_half, "short_read"},
                    kind_of_fault{operation::write, 0, fault_vfs::part::nothing, "write"},
                    kind_of_fault{operation::write, 0, fault_vfs::part::first_half, "short_write"},
                    kind_of_fault{operation::write, SQLITE_FULL, fault_vfs::part::nothing, "full_disk"},
                    kind_of_fault{operation::sync, 0, fault_vfs::part::nothing, "sync"},
                    kind_of_fault{operation::truncate, 0, fault_vfs::part::nothing, "truncate"},
                    kind_of_fault{operation::remove, 0, fault_vfs::part::nothing, "remove"},
                    kind_of_fault{operation::access, 0, fault_vfs::part::nothing, "access"},
                    kind_of_fault{operation::file_size, 0, fault_vfs::part::nothing, "file_size"},
                    kind_of_fault{operation::lock, 0, fault_vfs::part::nothing, "lock"},
                    kind_of_fault{operation::lock, SQLITE_BUSY, fault_vfs::part::nothing, "busy_lock"},
                    kind_of_fault{operation::shm_map, 0, fault_vfs::part::nothing, "shm_map"},
                    kind_of_fault{operation::shm_lock, 0, fault_vfs::part::nothing, "shm_lock"},
                    kind_of_fault{operation::shm_lock, SQLITE_BUSY, fault_vfs::part::nothing, "busy_shm_lock"}),
    [](const auto& fault) { return std::string{fault.param.name}; });

}  // namespace
}  // namespace troupe
