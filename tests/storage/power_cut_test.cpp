// WR-7 under the operating system: the power is cut at any operation of the disk. A script of many commits is recorded
// once, then every prefix of what it wrote becomes a disk of its own, with what a cut may leave of the writes that were
// not synced, and is opened by the system's own file system.
//
// Synchronous FULL: every acknowledged commit is there; the one in flight is there whole or not at all. NORMAL: what is
// there is a prefix of the history; how many acknowledged commits are missing is printed.
#include "messages/base/sha256.hpp"
#include "storage/check.hpp"
#include "storage/database.hpp"
#include "storage/lease.hpp"
#include "storage/migrations.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/sweep.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/storage/workload.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/simulated_disk.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {
namespace {

using durability = storage_options::durability;

// State 0 is the migrated file, state 1 has the lease taken, state k + 2 the first k + 1 transactions of the workload.
constexpr std::size_t states_before_the_workload = 2;

struct recorded_script {
  durability synchronous = durability::full;
  std::vector<transaction_commands> workload;
  disk_record record;
  std::vector<std::size_t> acknowledged;          ///< Of each state: how much was recorded when it was acknowledged.
  std::map<std::string, std::size_t> state_with;  ///< By the hash of all rows.

  /// The newest state that was acknowledged when the power was cut; none before the first.
  std::optional<std::size_t> acknowledged_at(std::size_t position) const {
    const auto later = std::ranges::upper_bound(acknowledged, position);
    return later == acknowledged.begin() ? std::nullopt : std::optional<std::size_t>{later - acknowledged.begin() - 1};
  }
};

std::string hash_of_rows(const std::filesystem::path& file) { return sha256_hex(all_rows(file)); }

recorded_script record_script(durability synchronous, int runs) {
  recorded_script script;
  script.synchronous = synchronous;
  script.workload = make_workload(runs);
  fault_vfs disk{"power_cut_recording"};
  disk.record_to(&script.record);
  const temporary_database place{fast_folder()};
  auto options = place.options();
  options.vfs = disk.name();
  options.synchronous = synchronous;
  options.wal_autocheckpoint = 40;  // every few commits
  const auto acknowledge = [&] {
    script.state_with.emplace(hash_of_rows(place.path()), script.acknowledged.size());
    script.acknowledged.push_back(script.record.size());
  };
  {
    auto opened = database::open(options);
    EXPECT_TRUE(opened && migrate(*opened, migration_sources()));
  }
  acknowledge();
  const auto owner = lease::acquire(options, {4711, "here", at_second(0)});
  EXPECT_TRUE(owner);
  acknowledge();
  auto session = writer_on(options);
  for (const auto& commands : script.workload) {
    const auto told = tell(*session, commands);
    EXPECT_TRUE(told) << told.error().message;
    acknowledge();
  }
  session.reset();
  return script;
}

// Opens what a cut has left, and says which state of the script it is. Every disk is opened, but for one that is the same
// as the one before; what recovery makes of it is looked at closely once for each file that comes out.
class recovered_disk {
 public:
  explicit recovered_disk(const recorded_script& script) : script_(&script) {}

  storage_options options() const {
    storage_options options;
    options.path = folder_ / "left" / "troupe.db";
    options.busy_timeout = milliseconds{100};
    options.cache_kib = 2'000;
    return options;
  }

  /// None: it could not be opened, or is no state of the script; the test has failed then.
  std::optional<std::size_t> state_of(const disk_image& left) {
    if (opened_ == 0 || left != last_) {
      put_on_disk(left, folder_ / "left");
      ++opened_;
      state_of_last_ = recover();
      last_ = left;
    }
    return state_of_last_;
  }

  /// Tells the script again from its begin, as senders do who had no answer: what is there is answered as a repeat, what
  /// is not is written, and in the end everything is as if there had been no cut.
  void tell_again(const disk_image& left, std::size_t state) const {
    put_on_disk(left, folder_ / "left");
    {
      auto session = writer_on(options());
      std::size_t next = states_before_the_workload;
      for (const auto& commands : script_->workload) {
        const auto told = tell(*session, commands);
        ASSERT_TRUE(told) << told.error().message;
        for (const auto& one : *told) {
          ASSERT_EQ(one.receipt.repeated, next <= state) << "transaction " << next << " of " << state;
        }
        ++next;
      }
    }
    SQLite::Database file{options().path.string(), SQLite::OPEN_READWRITE};
    file.exec("INSERT INTO lease (id, epoch, pid, host, since) VALUES (1, 1, 4711, 'here', " +
              std::to_string(at_second(0).time_since_epoch().count()) + ") ON CONFLICT DO NOTHING");
    const auto found = script_->state_with.find(hash_of_rows(options().path));
    ASSERT_NE(found, script_->state_with.end());
    EXPECT_EQ(found->second, script_->acknowledged.size() - 1);
  }

  const recorded_script& script() const noexcept { return *script_; }
  std::size_t opened() const noexcept { return opened_; }

 private:
  std::optional<std::size_t> recover() {
    {
      auto opened = database::open(options());
      if (!opened) {
        ADD_FAILURE() << "it cannot be opened: " << opened.error().message;
        return std::nullopt;
      }
      if (auto migrated = migrate(*opened, migration_sources()); !migrated) {
        ADD_FAILURE() << "it cannot be migrated: " << migrated.error().message;
        return std::nullopt;
      }
    }  // closing carries the log over into the file
    const auto file = std::hash<std::string>{}(bytes_of_file(options().path));
    const auto known = by_file_.find(file);
    return known != by_file_.end() ? known->second : by_file_[file] = look_closely();
  }

  std::optional<std::size_t> look_closely() const {
    const auto findings = check_database(options());
    if (!findings || !findings->empty()) {
      ADD_FAILURE() << (findings ? findings->front().rule + ": " + findings->front().text : findings.error().message);
      return std::nullopt;
    }
    const auto found = script_->state_with.find(hash_of_rows(options().path));
    if (found == script_->state_with.end()) {
      ADD_FAILURE() << "what is there is not what any number of commits had made";
      return std::nullopt;
    }
    return found->second;
  }

  const recorded_script* script_;
  temporary_folder folder_{fast_folder()};
  disk_image last_;
  std::optional<std::size_t> state_of_last_;
  std::unordered_map<std::uint64_t, std::optional<std::size_t>> by_file_;  ///< By the hash of its bytes.
  std::size_t opened_ = 0;
};

struct losses {
  std::size_t cuts = 0;
  std::size_t cuts_with_loss = 0;
  std::size_t commits = 0;  ///< Acknowledged and not there, over all cuts.
  std::size_t worst = 0;
};

class power_cut : public testing::Test {
 protected:
  static constexpr int runs = 62;  ///< More than 300 commits.

  // Cuts after one change in so many, chosen by the seed; 1: after every one. Writes of the log are apart, since they are
  // most of the changes and much alike.
  struct sampling {
    std::size_t log_writes = 1;
    std::size_t others = 1;
  };

  static bool is_log_write(const disk_change& change) {
    return change.what == disk_change::kind::write && change.file.ends_with("-wal");
  }

  void sweep(recovered_disk& left, survival kept, sampling wanted) {
    const auto& script = left.script();
    const auto seed = sweep_seed();
    std::mt19937_64 random{seed};
    const auto opened_before = left.opened();
    simulated_disk disk;
    losses lost;
    const auto one_in = sweeps_all() ? sampling{} : wanted;
    const std::size_t again = script.record.size() / one_in.log_writes / 8 + 1;  // some eight cuts are told again
    for (std::size_t position = 0;; ++position) {
      const bool after_log_write = position > 0 && is_log_write(script.record[position - 1]);
      if (random() % (after_log_write ? one_in.log_writes : one_in.others) == 0) {
        const auto image = disk.after_cut(kept, random());
        SCOPED_TRACE("a cut after " + std::to_string(position) + " of " + std::to_string(script.record.size()) +
                     " changes, " + std::string{to_string(kept)} + " left, seed " + std::to_string(seed));
        const auto state = left.state_of(image);
        ASSERT_TRUE(state);
        judge(script, position, *state, lost);
        if (random() % again == 0) {
          left.tell_again(image, *state);
        }
        if (HasFailure()) {
          return;
        }
      }
      if (position == script.record.size()) {
        break;
      }
      disk.apply(script.record[position]);
    }
    report(kept, script.synchronous, left.opened() - opened_before, lost);
  }

  static void judge(const recorded_script& script, std::size_t position, std::size_t state, losses& lost) {
    const auto acknowledged = script.acknowledged_at(position);
    const std::size_t in_flight = acknowledged ? *acknowledged + 1 : 0;
    EXPECT_LE(state, in_flight) << "what was not told yet is there";
    ++lost.cuts;
    if (acknowledged && state < *acknowledged) {
      const auto missing = *acknowledged - state;
      EXPECT_EQ(script.synchronous, durability::normal) << missing << " acknowledged commits are lost";
      ++lost.cuts_with_loss;
      lost.commits += missing;
      lost.worst = std::max(lost.worst, missing);
    }
  }

  static void report(survival kept, durability synchronous, std::size_t opened, const losses& lost) {
    const std::string name{to_string(kept)};
    const auto mean =
        lost.cuts_with_loss == 0 ? 0.0 : static_cast<double>(lost.commits) / static_cast<double>(lost.cuts_with_loss);
    std::cout << (synchronous == durability::full ? "FULL" : "NORMAL") << ", " << name
              << " left of what was not synced: " << lost.cuts << " cuts, " << opened
              << " different disks; acknowledged commits were lost in " << lost.cuts_with_loss << " cuts, " << mean
              << " on average, " << lost.worst << " at most\n";
    RecordProperty(name + "_cuts", std::to_string(lost.cuts));
    RecordProperty(name + "_cuts_with_loss", std::to_string(lost.cuts_with_loss));
    RecordProperty(name + "_commits_lost_at_most", std::to_string(lost.worst));
  }
};

TEST_F(power_cut, at_full_loses_nothing_that_was_acknowledged) {
  const auto script = record_script(durability::full, runs);
  ASSERT_GE(script.workload.size(), 300U);
  recovered_disk left{script};
  sweep(left, survival::everything, {8, 2});
  sweep(left, survival::nothing, {1, 1});
  sweep(left, survival::some, {40, 15});
  sweep(left, survival::torn, {40, 15});
}

TEST_F(power_cut, at_normal_leaves_a_prefix_of_the_history_and_says_how_much_is_lost) {
  const auto script = record_script(durability::normal, runs);
  ASSERT_GE(script.workload.size(), 300U);
  recovered_disk left{script};
  sweep(left, survival::everything, {60, 20});  // the same writes as at FULL
  sweep(left, survival::nothing, {1, 1});
  sweep(left, survival::some, {40, 15});
  sweep(left, survival::torn, {40, 15});
}

// The first page is half there, and its journal beside it: looking at the file alone, it is no database.
TEST_F(power_cut, in_the_first_write_of_a_file_leaves_one_that_can_be_opened) {
  const auto script = record_script(durability::full, 0);
  recovered_disk left{script};
  simulated_disk disk;
  for (const auto& change : script.record) {
    disk.apply(change);
    if (change.what == disk_change::kind::write && change.file == "troupe.db") {
      break;
    }
  }
  int without_header = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto image = disk.after_cut(survival::torn, seed);
    ASSERT_TRUE(image.contains("troupe.db-journal"));
    without_header += !image.at("troupe.db").empty() && !image.at("troupe.db").starts_with("SQLite format 3") ? 1 : 0;
    EXPECT_EQ(left.state_of(image), 0U) << "seed " << seed;
  }
  EXPECT_GT(without_header, 0);
}

// The commit whose sync failed is in the log that the system shows, and nowhere on the disk: a sender who asks again is
// told that it is there only when it is.
TEST_F(power_cut, after_a_sync_that_failed_loses_nothing_that_was_acknowledged_as_a_repeat) {
  disk_record record;
  fault_vfs faults{"power_cut_failed_sync"};
  faults.record_to(&record);
  const temporary_database place{fast_folder()};
  auto options = place.options();
  options.vfs = faults.name();
  story told{"r-1"};
  const auto first = told.created();
  const auto second = told.started(told.task("survey", "claude"));
  auto session = writer_on(options);
  must_write(*session, first);
  faults.arm({fault_vfs::operation::sync, 1, 0, true, ""});
  EXPECT_EQ(code_of(write_one(*session, second)), error_code::storage_unavailable);
  session.reset();  // its checkpoint fails, and leaves the log
  EXPECT_TRUE(faults.heal());
  session = writer_on(options);
  EXPECT_TRUE(must_write(*session, second).receipt.repeated);
  const auto expected = all_rows(place.path());

  simulated_disk disk;
  for (const auto& change : record) {
    disk.apply(change);
  }
  const temporary_folder left{fast_folder()};
  put_on_disk(disk.after_cut(survival::nothing), left.path());
  writer_on([&] {
    auto after = place.options();
    after.path = left / "troupe.db";
    return after;
  }());
  EXPECT_EQ(all_rows(left / "troupe.db"), expected);
}

TEST_F(power_cut, while_a_file_is_made_leaves_one_that_can_be_finished) {
  for (const auto synchronous : {durability::full, durability::normal}) {
    const auto script = record_script(synchronous, 0);
    recovered_disk left{script};
    for (const auto kept : {survival::everything, survival::nothing, survival::some, survival::torn}) {
      sweep(left, kept, {8, 1});
    }
  }
}

}  // namespace
}  // namespace troupe
