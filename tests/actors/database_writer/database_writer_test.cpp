// The writer actor on one thread, over a real database whose disk fails when told to.
#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/writer_client.hpp"
#include "storage/blobs.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {
namespace {

using ::testing::ElementsAre;

using sender = caf::typed_actor<caf::reacts_to<later>>;

class database_writer_test : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~database_writer_test() override {
    for (const auto& one : senders_) {
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    }
    caf::anon_send_exit(access_.actor.get(), caf::exit_reason::user_shutdown);
    access_.actor.set({});
    settle();
  }

  void start(std::size_t depth = 4'096, std::size_t batch_max = 512) {
    access_.credit = write_credit{depth};
    access_.epoch = lease_epoch{1};
    database_writer_deps deps;
    deps.open = [this]() -> result<std::unique_ptr<write_session>> {
      ++opened_;
      auto options = place_.options();
      options.vfs = disk_.name();
      return write_session::open(options, lease_epoch{1});
    };
    deps.batch_max = batch_max;
    deps.queue_depth = depth;
    access_.actor.set(spawn_database_writer(*system_, std::move(deps), placement::shared));
    settle();
  }

  // A sender that tells `facts` one after the other, each when the one before it is answered.
  void tell_all(std::vector<write_command> facts) {
    const auto told = std::make_shared<const std::vector<write_command>>(std::move(facts));
    senders_.push_back(system_->spawn(behave, this, access_, told));
  }

  static sender::behavior_type behave(sender::pointer self,
                                      database_writer_test* of,
                                      const writer_access& access,
                                      const std::shared_ptr<const std::vector<write_command>>& facts) {
    of->tell_from(self, access, facts, 0);
    return {[](const later& due) { due.act(); }};
  }

  void tell_from(sender::pointer self,
                 const writer_access& access,
                 const std::shared_ptr<const std::vector<write_command>>& facts,
                 std::size_t at) {
    if (at < facts->size()) {
      tell(self, access, facts->at(at), [=, this](const write_reply& reply) {
        replies_.push_back(reply);
        tell_from(self, access, facts, at + 1);
      });
    }
  }

  void settle() { scheduler().run(); }
  void let_time_pass() {
    for (int i = 0; i < 1'000; ++i) {
      scheduler().advance_time(milliseconds{10});
      settle();
    }
  }
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }

  std::vector<std::string> kinds_of(const std::string& run) {
    auto reader = read_session::open(place_.options());
    const auto events = (*reader)->list_events(run_id{run}, event_seq{0}, 1'000);
    std::vector<std::string> kinds;
    for (std::size_t i = 0; i < events->size(); ++i) {
      EXPECT_EQ(events->at(i).seq.value(), static_cast<std::int64_t>(i) + 1);
      kinds.emplace_back(to_string(events->at(i).kind));
    }
    return kinds;
  }

  static std::vector<write_command> facts_of(story& of) {
    const auto task = of.task("survey", "claude");
    return {of.created(), of.started(task), of.printed(task, "x"), of.finished(task, "1")};
  }

  temporary_database place_;
  fault_vfs disk_{"database_writer_test"};
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  writer_access access_;
  std::vector<sender> senders_;
  std::vector<write_reply> replies_;
  int opened_ = 0;
};

TEST_F(database_writer_test, after_an_error_of_the_disk_it_writes_on_a_fresh_session) {
  start();
  story told{"r-1"};
  const auto facts = facts_of(told);
  tell_all({facts[0], facts[1]});
  settle();
  disk_.arm({fault_vfs::operation::sync, 1, SQLITE_IOERR_FSYNC, false, "-wal"});
  tell_all({facts[2], facts[3]});
  let_time_pass();
  EXPECT_TRUE(disk_.heal());
  ASSERT_EQ(replies_.size(), 4U);
  for (const auto& reply : replies_) {
    EXPECT_TRUE(reply);
  }
  EXPECT_EQ(opened_, 2);
  EXPECT_THAT(kinds_of("r-1"), ElementsAre("run.started", "task.queued", "task.started", "task.completed"));
}

// The commit is on disk, and only its answer was lost: the same command again is told so, and nothing is written twice.
TEST_F(database_writer_test, a_command_whose_answer_was_lost_is_answered_as_a_repeat) {
  start();
  story told{"r-1"};
  const auto facts = facts_of(told);
  tell_all({facts[0], facts[1]});
  settle();
  caf::anon_send_exit(access_.actor.get(), caf::exit_reason::kill);
  settle();
  start();
  tell_all({facts[1]});
  settle();
  ASSERT_EQ(replies_.size(), 3U);
  ASSERT_TRUE(replies_[2]);
  EXPECT_TRUE(replies_[2]->repeated);
  EXPECT_EQ(replies_[2]->last, replies_[1]->last);
}

TEST_F(database_writer_test, while_the_disk_is_full_each_is_told_so_and_the_writer_lives) {
  start();
  story told{"r-1"};
  const auto facts = facts_of(told);
  tell_all({facts[0]});
  settle();
  disk_.arm({fault_vfs::operation::write, 1, SQLITE_FULL, true, "-wal"});
  tell_all({facts[1]});
  let_time_pass();
  EXPECT_TRUE(disk_.heal());
  ASSERT_EQ(replies_.size(), 2U);
  ASSERT_FALSE(replies_[1]);
  EXPECT_EQ(replies_[1].error().code, error_code::storage_full);
  EXPECT_FALSE(replies_[1].error().hint.empty());
  tell_all({facts[1]});
  settle();
  ASSERT_EQ(replies_.size(), 3U);
  ASSERT_TRUE(replies_[2]);
  EXPECT_FALSE(replies_[2]->repeated);
}

TEST_F(database_writer_test, a_sender_under_an_older_lease_is_refused_and_nobody_else) {
  start();
  story old{"r-old"};
  story now{"r-now"};
  tell_all(facts_of(now));
  access_.epoch = lease_epoch{0};
  tell_all({old.created()});
  settle();
  int refused = 0;
  for (const auto& reply : replies_) {
    refused += !reply && reply.error().code == error_code::stale_epoch ? 1 : 0;
  }
  EXPECT_EQ(replies_.size(), 5U);
  EXPECT_EQ(refused, 1);
  auto reader = read_session::open(place_.options());
  EXPECT_FALSE((*reader)->find_run(run_id{"r-old"}));
  EXPECT_THAT(kinds_of("r-now"), ElementsAre("run.started", "task.queued", "task.started", "task.completed"));
}

TEST_F(database_writer_test, above_its_depth_senders_wait_for_their_turn_and_their_runs_are_told) {
  constexpr int runs = 20;
  start(2);
  for (int i = 0; i < runs; ++i) {
    story told{"r-" + std::to_string(i)};
    tell_all(facts_of(told));
  }
  let_time_pass();
  EXPECT_EQ(replies_.size(), 4U * runs);
  for (const auto& reply : replies_) {
    EXPECT_TRUE(reply) << reply.error().message;  // nobody is refused
  }
  int told = 0;
  for (int i = 0; i < runs; ++i) {
    const auto kinds = kinds_of("r-" + std::to_string(i));
    const auto on = std::count(kinds.begin(), kinds.end(), "backpressure.on");
    const auto off = std::count(kinds.begin(), kinds.end(), "backpressure.off");
    told += on > 0 ? 1 : 0;
    EXPECT_GE(on, off);
    EXPECT_LE(on, off + 1);
    EXPECT_EQ(kinds.size(), 4U + static_cast<std::size_t>(on + off));
  }
  EXPECT_GE(told, runs - 4);
  EXPECT_EQ(access_.credit.waiting(), 0U);
}

// Invariant 10. What waited has its turn behind what was there before, but for the first of its run.
TEST_F(database_writer_test, a_run_that_begins_to_wait_is_told_with_the_next_batch) {
  start(100, 1);
  story waits{"r-waits"};
  const auto task = waits.task("survey", "claude");
  tell_all({waits.created({{"survey", "claude"}, {"survey", "gemini"}})});
  settle();
  replies_.clear();
  for (int i = 0; i < 50; ++i) {
    tell_all({story{"r-" + std::to_string(i)}.created()});
  }
  std::vector<std::size_t> answered_before;  // each of the two
  const auto tell_one = [&](caf::event_based_actor* self, const std::shared_ptr<const write_command>& what) {
    self->request(access_.actor.get(), caf::infinite, write_request{what, access_.epoch, true})
        .then([&](const write_reply& reply) {
          EXPECT_TRUE(reply);
          answered_before.push_back(replies_.size());
        });
  };
  for (const auto& each : {task, waits.task("survey", "gemini")}) {
    system_->spawn(tell_one, std::make_shared<const write_command>(waits.started(each)));
  }
  settle();
  EXPECT_EQ(answered_before, (std::vector<std::size_t>{0, 50}));
  EXPECT_THAT(
      kinds_of("r-waits"),
      ElementsAre("run.started", "task.queued", "task.queued", "task.started", "backpressure.on", "task.started"));
}

TEST_F(database_writer_test, without_pressure_nobody_is_told_of_any) {
  start();
  story told{"r-1"};
  tell_all(facts_of(told));
  settle();
  EXPECT_EQ(replies_.size(), 4U);
  EXPECT_THAT(kinds_of("r-1"), ::testing::Not(::testing::Contains("backpressure.on")));
}

TEST_F(database_writer_test, senders_that_die_while_they_wait_give_their_place_to_the_next) {
  start(1);
  for (int i = 0; i < 10; ++i) {
    story told{"r-" + std::to_string(i)};
    tell_all(facts_of(told));
  }
  for (const auto& one : senders_) {
    caf::anon_send_exit(one, caf::exit_reason::kill);
  }
  story survivor{"r-survivor"};
  tell_all(facts_of(survivor));
  let_time_pass();
  EXPECT_EQ(kinds_of("r-survivor").back(), "task.completed");
  EXPECT_EQ(access_.credit.waiting(), 0U);
  EXPECT_TRUE(access_.credit.take());
}

TEST_F(database_writer_test, with_each_pass_of_vacuum_unused_outputs_are_removed) {
  start();
  const auto put = blob_store{place_.options()}.put("what nobody refers to");
  ASSERT_TRUE(put) << put.error().message;
  const auto file = blob_path(blob_folder_of(place_.path()), put->digest);
  ASSERT_TRUE(std::filesystem::exists(file));
  caf::anon_send(access_.actor.get(), record_vacuum{});
  settle();
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(database_writer_test, a_batch_larger_than_its_maximum_is_several) {
  start(4'096, 3);
  for (int i = 0; i < 10; ++i) {
    story told{"r-" + std::to_string(i)};
    tell_all({told.created()});
  }
  settle();
  EXPECT_EQ(replies_.size(), 10U);
}

}  // namespace
}  // namespace troupe
