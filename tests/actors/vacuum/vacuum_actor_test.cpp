// Vacuum beside a real writer and reader, on one thread, in virtual time. The numbers are those of the header's
// invariants.
#include "actors/vacuum/vacuum_actor.hpp"

#include "actors/database_reader/database_reader_actor.hpp"
#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/database_writer/maintenance.hpp"
#include "storage/read_pool.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/bloated_database.hpp"
#include "tests/support/house.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20U;

class vacuum_actor_test : public testing::Test {
 protected:
  vacuum_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~vacuum_actor_test() override {
    end(vacuum_);
    stop_database();
    settle();
  }

  void start_database() {
    database_writer_deps for_writer;
    for_writer.open = [this] { return write_session::open(place_.options(), lease_epoch{1}); };
    writer_.set(spawn_database_writer(*system_, std::move(for_writer), placement::shared));
    auto sessions = std::make_shared<read_pool>(
        read_pool_options{.storage = place_.options(), .elapsed = [this] { return clock_->now().time_since_epoch(); }});
    reader_.set(spawn_database_reader(*system_, {std::move(sessions)}, placement::shared));
    settle();
  }

  void stop_database() {
    for (const auto& each : {caf::actor_cast<caf::actor>(writer_.get()), caf::actor_cast<caf::actor>(reader_.get())}) {
      if (each) {
        caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
      }
    }
    writer_.set({});
    reader_.set({});
    settle();
  }

  void start_vacuum() {
    vacuum_ = spawn_vacuum(*system_, {writer_, reader_, clock_, {}});
    settle();
  }

  void end(vacuum_actor& which) {
    if (which) {
      caf::anon_send_exit(which, caf::exit_reason::user_shutdown);
      which = vacuum_actor{};
    }
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void settle() { scheduler().run(); }
  void advance(milliseconds by, milliseconds step = 1ms) {
    for (; by.count() > 0; by -= step) {
      clock_->advance(step);
      scheduler().advance_time(step);
      settle();
    }
  }

  vacuum_view view() {
    vacuum_view seen;
    caf::scoped_actor self{*system_};
    auto asked = self->request(vacuum_, caf::infinite, vacuum_query{});
    settle();
    asked.receive([&](const vacuum_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  maintenance_view stored() { return *(*read_session::open(place_.options()))->find_maintenance(); }

  temporary_database place_;
  std::shared_ptr<virtual_clock> clock_ = std::make_shared<virtual_clock>();
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  service<database_writer> writer_;
  service<database_reader> reader_;
  vacuum_actor vacuum_;
};

TEST_F(vacuum_actor_test, brings_a_bloated_file_down_by_itself_and_says_so) {
  make_bloated_database(place_.options(), 20 * mib);
  start_database();
  start_vacuum();
  advance(999ms);
  EXPECT_FALSE(view().history.last);
  EXPECT_GT(stored().size.bytes(), 20 * mib);
  advance(2'000ms);
  EXPECT_EQ(stored().size.free_pages, 0) << "no success yet: it is the daily pass, which leaves nothing";
  EXPECT_LT(std::filesystem::file_size(place_.path()), 400'000U);
  const auto after = view();
  ASSERT_TRUE(after.history.last);
  EXPECT_EQ(after.history.last->reason, vacuum_reason::daily);
  EXPECT_GT(after.history.last->slices, 5);
  EXPECT_GT(after.history.last->reclaimed_bytes, 19 * mib);
  EXPECT_EQ(stored().vacuum.last, after.history.last);
  EXPECT_TRUE(after.healthy);
  EXPECT_FALSE(after.working);
}

TEST_F(vacuum_actor_test, at_rest_it_asks_for_nothing_but_the_size_every_minute) {  // 3
  make_bloated_database(place_.options(), mib);
  start_database();
  start_vacuum();
  advance(5'000ms);
  const auto rows = stored().vacuum.last;
  ASSERT_TRUE(rows);
  for (int minutes = 0; minutes < 60; ++minutes) {
    clock_->advance(60s);
    std::size_t events = 0;
    scheduler().advance_time(60s);
    events = scheduler().run();
    EXPECT_LE(events, 4U);  // its timer, the question, the answer
    EXPECT_GE(events, 2U);
  }
  EXPECT_EQ(stored().vacuum.last, rows);
}

TEST_F(vacuum_actor_test, whoever_asks_is_answered_with_the_pass) {  // 2
  make_bloated_database(place_.options(), 2 * mib);
  start_database();
  start_vacuum();
  caf::scoped_actor one{*system_};
  caf::scoped_actor two{*system_};
  auto first = one->request(vacuum_, caf::infinite, vacuum_now{});
  auto second = two->request(vacuum_, caf::infinite, vacuum_now{});
  settle();
  advance(1'000ms);
  const auto expect_whole = [](const vacuum_now_answer& told) {
    ASSERT_TRUE(told);
    EXPECT_EQ(told->reason, vacuum_reason::manual);
    EXPECT_GT(told->freed_pages, 400);
  };
  const auto unexpected = [](const caf::error&) { ADD_FAILURE(); };
  first.receive(expect_whole, unexpected);
  second.receive(expect_whole, unexpected);
  EXPECT_EQ(stored().size.free_pages, 0);
}

TEST_F(vacuum_actor_test, whoever_asks_while_there_is_no_database_is_told_why) {  // 1, 2
  start_vacuum();
  caf::scoped_actor self{*system_};
  auto asked = self->request(vacuum_, caf::infinite, vacuum_now{});
  settle();
  asked.receive(
      [](const vacuum_now_answer& told) {
        ASSERT_FALSE(told);
        EXPECT_EQ(told.error().code, error_code::storage_unavailable);
      },
      [](const caf::error&) { ADD_FAILURE(); });
  ASSERT_TRUE(view().last_error);
  make_bloated_database(place_.options(), 2 * mib);
  start_database();
  advance(61s, 100ms);
  EXPECT_FALSE(view().last_error);
  EXPECT_EQ(stored().size.free_pages, 0);
}

TEST_F(vacuum_actor_test, whoever_waits_when_it_dies_gets_an_answer) {  // 2
  make_bloated_database(place_.options(), 2 * mib);
  start_database();
  start_vacuum();
  caf::scoped_actor self{*system_};
  auto asked = self->request(vacuum_, caf::infinite, vacuum_now{});
  scheduler().run_once();
  end(vacuum_);
  settle();
  asked.receive([](const vacuum_now_answer&) { ADD_FAILURE(); },
                [](const caf::error& why) { EXPECT_EQ(why, caf::sec::request_receiver_down); });
}

TEST_F(vacuum_actor_test, a_writer_that_comes_back_finds_the_pass_going_on) {  // 1
  make_bloated_database(place_.options(), 20 * mib);
  start_database();
  start_vacuum();
  advance(1'005ms);
  ASSERT_TRUE(view().working);
  stop_database();
  advance(500ms);
  EXPECT_TRUE(view().last_error);
  start_database();
  advance(11s, 5ms);
  EXPECT_EQ(stored().size.free_pages, 0);
  ASSERT_TRUE(stored().vacuum.last);
  EXPECT_FALSE(stored().vacuum.last->failure);
}

TEST_F(vacuum_actor_test, housekeeping_that_keeps_dying_is_given_up_and_the_rest_goes_on) {
  vacuum_actor newest;  // held here, as the node's services do: supervisors hold none of their children
  supervisor keeper;
  int births = 0;
  const auto housekeeping = [&](caf::actor_system& in) {
    std::vector<child_spec> children{{"vacuum", restart_type::permanent, 1'000ms, [&](caf::actor_system& here) {
                                        ++births;
                                        newest = spawn_vacuum(here, {writer_, reader_, clock_, {}});
                                        return caf::actor_cast<caf::strong_actor_ptr>(newest);
                                      }}};
    keeper = spawn_supervisor(in, "housekeeping", std::move(children), {3, 5'000ms});
    return caf::actor_cast<caf::strong_actor_ptr>(keeper);
  };
  bool root_is_down = false;
  auto root = spawn_supervisor(
      *system_, "root", {{"housekeeping", restart_type::temporary, 1'000ms, housekeeping}}, {3, 5'000ms});
  caf::actor_cast<caf::abstract_actor*>(root)->attach_functor([&](const caf::error&) { root_is_down = true; });
  settle();
  for (int i = 0; i < 6; ++i) {
    caf::anon_send_exit(newest, caf::exit_reason::kill);
    advance(100ms);
  }
  EXPECT_EQ(births, 4);
  EXPECT_FALSE(root_is_down);
  newest = vacuum_actor{};
  keeper = supervisor{};
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  root = supervisor{};
  settle();
  EXPECT_TRUE(root_is_down);
}

TEST_F(vacuum_actor_test, commands_that_wait_come_first) {
  make_bloated_database(place_.options(), 2 * mib);
  const auto session = writer_on(place_.options());
  std::chrono::steady_clock::time_point now;
  int until_mail = 5;
  writer_watch watch{[&] { return until_mail-- <= 0; }, [&] { return now += 1us; }};
  const auto pages = stored().size.page_count;
  auto done_some = carry_out(*session, vacuum_slice{1'000, 1s, maintenance_turn::when_idle}, watch);
  ASSERT_TRUE(done_some);
  ASSERT_TRUE(std::holds_alternative<vacuum_progress>(*done_some));
  EXPECT_EQ(std::get<vacuum_progress>(*done_some).end, slice_end::gave_way);
  EXPECT_EQ(std::get<vacuum_progress>(*done_some).freed_pages, 4) << "the first look was before the transaction";
  EXPECT_EQ(stored().size.page_count, pages - 4);

  const auto busy = carry_out(*session, vacuum_slice{1'000, 1s, maintenance_turn::when_idle}, watch);
  EXPECT_TRUE(std::holds_alternative<writer_is_busy>(*busy));
  const auto not_now = carry_out(*session, shrink_file{maintenance_turn::when_idle}, watch);
  EXPECT_TRUE(std::holds_alternative<writer_is_busy>(*not_now));
  EXPECT_EQ(stored().size.page_count, pages - 4);

  const auto in_turn = carry_out(*session, vacuum_slice{20, 1s, maintenance_turn::now}, watch);
  EXPECT_EQ(std::get<vacuum_progress>(*in_turn).freed_pages, 20);
  EXPECT_EQ(std::get<vacuum_progress>(*in_turn).end, slice_end::pages_freed);
  const auto late = carry_out(*session, vacuum_slice{1'000, 10us, maintenance_turn::now}, watch);
  EXPECT_EQ(std::get<vacuum_progress>(*late).end, slice_end::out_of_time);
  EXPECT_EQ(std::get<vacuum_progress>(*late).freed_pages, 11)
      << "the first whatever the time, and ten of a microsecond";
  const auto one = carry_out(*session, vacuum_slice{1'000, 0us, maintenance_turn::now}, watch);
  EXPECT_EQ(std::get<vacuum_progress>(*one).freed_pages, 1) << "it gets on, however slow the disk";
  const auto cut = carry_out(*session, shrink_file{maintenance_turn::now}, watch);
  EXPECT_EQ(std::get<file_shrunk>(*cut).end, shrink_end::file_is_cut);
}

}  // namespace
}  // namespace troupe
