// The numbers of the tests are those of the invariants in actors/vacuum/vacuum_plan.hpp.
#include "actors/vacuum/vacuum_plan.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe {
namespace {

constexpr std::int64_t page = 4'096;
constexpr std::int64_t mib_of_pages = (std::int64_t{1} << 20U) / page;  // 256

class vacuum_plan_test : public testing::Test {
 protected:
  using moment = vacuum_plan::moment;

  vacuum_plan_test() {
    rules_.at = time_of_day{std::chrono::minutes{210}};
    now_.day = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}} + 12h;
    history_.last_success = now_.day - 1h;
  }

  vacuum_plan made() const { return vacuum_plan{rules_, now_}; }

  void pass_time(milliseconds length) {
    now_.day += length;
    now_.steady += length;
  }

  maintenance_view found(std::int64_t pages, std::int64_t free) const {
    return {{page, pages, free}, disk_free_, history_};
  }

  vacuum_progress progress(std::int64_t freed, std::int64_t pages, std::int64_t free) const {
    return {freed, free == 0 ? slice_end::nothing_left : slice_end::pages_freed, {page, pages, free}, 4ms};
  }

  static constexpr file_shrunk cut{shrink_end::file_is_cut, 2ms};
  static constexpr file_shrunk held{shrink_end::held_back, 2ms};

  template <class Effect>
  static const Effect* is(const vacuum_plan::effect& effect) {
    return std::get_if<Effect>(&effect);
  }

  // To the first slice of a pass over 1000 pages of which 900 are free.
  vacuum_plan begun() {
    auto plan = made();
    plan.woken(now_);
    EXPECT_TRUE(is<vacuum_plan::free_some>(plan.looked(found(1'000, 900), now_)));
    return plan;
  }

  vacuum_rules rules_;
  moment now_;
  vacuum_history history_;
  std::optional<std::int64_t> disk_free_ = std::int64_t{1} << 30U;
};

const error disk_error{error_code::storage_unavailable, "no disk", ""};

TEST_F(vacuum_plan_test, looks_soon_after_its_birth_and_then_at_its_pace) {
  auto plan = made();
  const auto first = plan.begin();
  ASSERT_TRUE(is<vacuum_plan::rest>(first));
  EXPECT_EQ(is<vacuum_plan::rest>(first)->pause, 1s);
  EXPECT_TRUE(is<vacuum_plan::look>(plan.woken(now_)));
  const auto then = plan.looked(found(100, 0), now_);
  ASSERT_TRUE(is<vacuum_plan::rest>(then));  // 5
  EXPECT_EQ(is<vacuum_plan::rest>(then)->pause, 60s);
  EXPECT_TRUE(plan.is_at_rest());
}

TEST_F(vacuum_plan_test, begins_above_both_limits_only) {  // 1
  struct example {
    std::int64_t pages;
    std::int64_t free;
    bool begins;
  };
  for (const auto& each : {example{1'000, mib_of_pages, false},
                           example{1'000, mib_of_pages + 1, true},
                           example{100, 90, false},         // 90 %, and not even a MiB
                           example{100'000, 5'000, false},  // 20 MB, and 5 % of the file
                           example{100'000, 5'001, true}}) {
    auto plan = made();
    plan.woken(now_);
    const auto does = plan.looked(found(each.pages, each.free), now_);
    EXPECT_EQ(is<vacuum_plan::free_some>(does) != nullptr, each.begins) << each.pages << ' ' << each.free;
    EXPECT_EQ(plan.view(now_).working, each.begins);
  }
}

TEST_F(vacuum_plan_test, ends_at_half_of_the_part_that_may_be_free) {  // 1
  auto plan = made();
  plan.woken(now_);
  plan.looked(found(100'000, 10'000), now_);
  plan.freed(progress(7'000, 93'000, 2'326), now_);  // cut: 28 MB wait for it
  plan.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::rest>(plan.shrunk(cut, now_)));
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_))) << "2326 of 93000 is more than 2.5 %";
  plan.freed(progress(1, 93'000, 2'325), now_);
  EXPECT_TRUE(is<vacuum_plan::shrink>(plan.woken(now_)));
  const auto end = plan.shrunk(cut, now_);
  ASSERT_TRUE(is<vacuum_plan::write_down>(end));
  EXPECT_EQ(is<vacuum_plan::write_down>(end)->pass.reason, vacuum_reason::threshold);
}

TEST_F(vacuum_plan_test, tells_what_the_pass_came_to) {
  auto plan = begun();
  pass_time(4ms);
  auto does = plan.freed(progress(64, 936, 836), now_);
  ASSERT_TRUE(is<vacuum_plan::rest>(does));
  EXPECT_EQ(is<vacuum_plan::rest>(does)->pause, 4ms);  // as long again as it took
  pass_time(4ms);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_)));
  auto last = progress(836, 100, 0);
  last.took = 7ms;
  pass_time(7ms);
  plan.freed(last, now_);
  plan.woken(now_);
  pass_time(2ms);
  does = plan.shrunk(cut, now_);
  ASSERT_TRUE(is<vacuum_plan::write_down>(does));
  const auto& pass = is<vacuum_plan::write_down>(does)->pass;
  EXPECT_EQ(pass.bytes_before, 1'000 * page);
  EXPECT_EQ(pass.bytes_after, 100 * page);
  EXPECT_EQ(pass.freed_pages, 900);
  EXPECT_EQ(pass.reclaimed_bytes, 900 * page);
  EXPECT_EQ(pass.slices, 2);
  EXPECT_EQ(pass.longest_slice, 7ms);
  EXPECT_EQ(pass.took, 17ms);
  EXPECT_EQ(pass.finished_at, now_.day);
  EXPECT_EQ(pass.started_at, now_.day - 17ms);
  EXPECT_FALSE(pass.failure);
  EXPECT_TRUE(is<vacuum_plan::rest>(plan.written(now_)));
  EXPECT_EQ(plan.view(now_).history.last, pass);
  EXPECT_EQ(plan.view(now_).history.last_success, now_.day);
}

TEST_F(vacuum_plan_test, the_daily_pass_begins_at_its_time_and_leaves_nothing_free) {  // 1
  auto plan = made();
  now_.day = std::chrono::floor<std::chrono::days>(now_.day) + std::chrono::days{1} + 3h + 29min + 30s;
  history_.last_success = now_.day - 23h;
  plan.woken(now_);
  const auto early = plan.looked(found(1'000, 1), now_);
  ASSERT_TRUE(is<vacuum_plan::rest>(early));
  EXPECT_EQ(is<vacuum_plan::rest>(early)->pause, 30s) << "not a minute: it would be late";
  EXPECT_EQ(plan.view(now_).next_daily, now_.day + 30s);
  pass_time(30s);
  plan.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.looked(found(1'000, 2), now_)));
  plan.freed(progress(1, 999, 1), now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_)));
  plan.freed(progress(1, 998, 0), now_);
  EXPECT_TRUE(is<vacuum_plan::shrink>(plan.woken(now_)));
  const auto end = plan.shrunk(cut, now_);
  ASSERT_TRUE(is<vacuum_plan::write_down>(end));
  EXPECT_EQ(is<vacuum_plan::write_down>(end)->pass.reason, vacuum_reason::daily);
}

TEST_F(vacuum_plan_test, a_daily_pass_that_was_missed_is_made_up_for) {  // 1
  for (const auto& last : {std::optional<timestamp>{}, std::optional{now_.day - 9h}, std::optional{now_.day + 1h}}) {
    history_.last_success = last;
    auto plan = made();
    plan.woken(now_);
    const auto does = plan.looked(found(1'000, 0), now_);
    ASSERT_TRUE(is<vacuum_plan::write_down>(does)) << "nothing is free: it is done at once";
    EXPECT_EQ(is<vacuum_plan::write_down>(does)->pass.reason, vacuum_reason::daily);
    plan.written(now_);
    history_ = plan.view(now_).history;
    pass_time(1min);
    plan.woken(now_);
    EXPECT_TRUE(is<vacuum_plan::rest>(plan.looked(found(1'000, 0), now_))) << "once a day";
  }
}

TEST_F(vacuum_plan_test, cuts_the_file_every_four_mebibytes) {  // 2
  auto plan = made();
  plan.woken(now_);
  plan.looked(found(40'000, 39'000), now_);
  plan.freed(progress(1'023, 38'977, 37'977), now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_)));
  plan.freed(progress(1, 38'976, 37'976), now_);
  EXPECT_TRUE(is<vacuum_plan::shrink>(plan.woken(now_)));
  EXPECT_TRUE(is<vacuum_plan::rest>(plan.shrunk(held, now_))) << "a reader in the middle of the pass is no matter";
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_)));
}

TEST_F(vacuum_plan_test, a_cut_that_a_reader_holds_back_is_made_up_for_at_rest) {  // 2
  auto plan = begun();
  plan.freed(progress(900, 100, 0), now_);
  for (int tries = 1; tries < 5; ++tries) {
    EXPECT_TRUE(is<vacuum_plan::shrink>(plan.woken(now_)));
    const auto does = plan.shrunk(held, now_);
    ASSERT_TRUE(is<vacuum_plan::rest>(does)) << tries;
    EXPECT_EQ(is<vacuum_plan::rest>(does)->pause, 200ms);
  }
  plan.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::write_down>(plan.shrunk(held, now_)));
  plan.written(now_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(is<vacuum_plan::look>(plan.woken(now_)));
    EXPECT_TRUE(is<vacuum_plan::shrink>(plan.looked(found(100, 0), now_)));
    EXPECT_TRUE(is<vacuum_plan::rest>(i < 2 ? plan.shrunk(held, now_) : plan.shrunk(cut, now_)));
  }
  plan.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::rest>(plan.looked(found(100, 0), now_)));
}

TEST_F(vacuum_plan_test, leaves_a_busy_writer_alone_for_longer_each_time_then_takes_its_turn) {  // 3
  auto plan = begun();
  milliseconds waited{0};
  for (const auto expected : {5ms, 10ms, 20ms, 40ms, 80ms, 80ms, 80ms, 80ms, 80ms, 80ms}) {
    const auto does = plan.writer_was_busy(now_);
    ASSERT_TRUE(is<vacuum_plan::rest>(does));
    EXPECT_EQ(is<vacuum_plan::rest>(does)->pause, expected);
    pass_time(expected);
    waited += expected;
    const auto next = plan.woken(now_);
    ASSERT_TRUE(is<vacuum_plan::free_some>(next));
    EXPECT_EQ(is<vacuum_plan::free_some>(next)->what.turn,
              waited >= 250ms ? maintenance_turn::now : maintenance_turn::when_idle);
  }
  plan.freed(progress(64, 936, 836), now_);
  const auto next = plan.woken(now_);
  EXPECT_EQ(is<vacuum_plan::free_some>(next)->what.turn, maintenance_turn::when_idle);
  EXPECT_EQ(is<vacuum_plan::rest>(plan.writer_was_busy(now_))->pause, 5ms);
}

TEST_F(vacuum_plan_test, a_slice_that_gave_way_before_its_first_page_has_not_got_on) {  // 3
  auto plan = begun();
  for (int i = 0; i < 10; ++i) {
    pass_time(60ms);
    auto nothing = progress(0, 1'000, 900);
    nothing.end = slice_end::gave_way;
    plan.freed(nothing, now_);
    const auto next = plan.woken(now_);
    EXPECT_EQ(is<vacuum_plan::free_some>(next)->what.turn,
              i >= 4 ? maintenance_turn::now : maintenance_turn::when_idle);
  }
}

TEST_F(vacuum_plan_test, three_errors_end_a_pass_and_one_success_forgives) {  // 4
  auto plan = begun();
  for (int round = 0; round < 3; ++round) {
    const auto first = plan.failed(disk_error, now_);
    EXPECT_EQ(is<vacuum_plan::rest>(first)->pause, 10s);
    plan.woken(now_);
    EXPECT_EQ(is<vacuum_plan::rest>(plan.failed(disk_error, now_))->pause, 20s);
    plan.woken(now_);
    plan.freed(progress(8, 900, 800), now_);
    plan.woken(now_);
  }
  plan.failed(disk_error, now_);
  plan.woken(now_);
  plan.failed(disk_error, now_);
  plan.woken(now_);
  const auto end = plan.failed(disk_error, now_);
  ASSERT_TRUE(is<vacuum_plan::write_down>(end));
  EXPECT_EQ(is<vacuum_plan::write_down>(end)->pass.failure, disk_error);
  EXPECT_EQ(is<vacuum_plan::write_down>(end)->pass.freed_pages, 24);
  EXPECT_EQ(plan.view(now_).last_error, disk_error);
}

TEST_F(vacuum_plan_test, a_stale_epoch_ends_a_pass_at_once) {  // 4
  auto plan = begun();
  EXPECT_TRUE(is<vacuum_plan::write_down>(plan.failed({error_code::stale_epoch, "gone", ""}, now_)));
}

TEST_F(vacuum_plan_test, looks_come_later_after_each_failure_at_most_an_hour) {  // 4
  auto plan = made();
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 8; ++i) {
    plan.woken(now_);
    pauses.push_back(is<vacuum_plan::rest>(plan.failed(disk_error, now_))->pause);
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds>{1min, 2min, 4min, 8min, 16min, 32min, 60min, 60min}));
  plan.woken(now_);
  EXPECT_EQ(is<vacuum_plan::rest>(plan.looked(found(10, 0), now_))->pause, 1min);
  EXPECT_FALSE(plan.view(now_).last_error);
}

TEST_F(vacuum_plan_test, failed_passes_come_later_each_time_too) {  // 4
  auto plan = made();
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 3; ++i) {
    plan.woken(now_);
    plan.looked(found(1'000, 900), now_);
    plan.failed({error_code::stale_epoch, "gone", ""}, now_);
    pauses.push_back(is<vacuum_plan::rest>(plan.written(now_))->pause);
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds>{1min, 2min, 4min}));
}

TEST_F(vacuum_plan_test, a_full_disk_keeps_it_from_beginning_but_not_somebody_who_asks) {
  disk_free_ = (std::int64_t{16} << 20U) - 1;
  auto plan = made();
  plan.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::rest>(plan.looked(found(1'000, 900), now_)));
  ASSERT_TRUE(plan.view(now_).last_error);
  EXPECT_EQ(plan.view(now_).last_error->code, error_code::storage_full);
  EXPECT_TRUE(is<vacuum_plan::look>(plan.asked(now_)));
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.looked(found(1'000, 900), now_)));
  disk_free_ = std::nullopt;
  auto unknown = made();
  unknown.woken(now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(unknown.looked(found(1'000, 900), now_)));
}

TEST_F(vacuum_plan_test, who_asks_gets_a_pass_whatever_is_free) {
  auto plan = made();
  EXPECT_TRUE(is<vacuum_plan::look>(plan.asked(now_)));
  EXPECT_TRUE(is<vacuum_plan::nothing>(plan.asked(now_))) << "the same pass is for both";
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.looked(found(100, 1), now_)));
  plan.freed(progress(1, 99, 0), now_);
  plan.woken(now_);
  const auto end = plan.shrunk(cut, now_);
  EXPECT_EQ(is<vacuum_plan::write_down>(end)->pass.reason, vacuum_reason::manual);
  EXPECT_TRUE(is<vacuum_plan::nothing>(plan.asked(now_)));
  EXPECT_TRUE(is<vacuum_plan::look>(plan.written(now_))) << "who asked while it was written down gets another";
}

TEST_F(vacuum_plan_test, a_pass_under_way_becomes_that_of_who_asks) {
  auto plan = made();
  plan.woken(now_);
  plan.looked(found(100'000, 10'000), now_);
  EXPECT_TRUE(is<vacuum_plan::nothing>(plan.asked(now_)));
  plan.freed(progress(8'000, 92'000, 2'000), now_);  // enough for a pass that began by itself
  plan.woken(now_);
  plan.shrunk(cut, now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_)));
}

TEST_F(vacuum_plan_test, a_pass_does_not_run_after_those_who_go_on_deleting) {  // 1
  auto plan = made();
  plan.asked(now_);
  plan.looked(found(10'000, 100), now_);
  plan.freed(progress(99, 9'901, 200), now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_))) << "one of those that were there is left";
  plan.freed(progress(1, 9'900, 248), now_);
  EXPECT_TRUE(is<vacuum_plan::free_some>(plan.woken(now_))) << "more than may be left";
  plan.freed(progress(1, 9'899, 247), now_);
  EXPECT_TRUE(is<vacuum_plan::shrink>(plan.woken(now_)));
  EXPECT_TRUE(is<vacuum_plan::write_down>(plan.shrunk(cut, now_)));
}

TEST_F(vacuum_plan_test, health_is_two_periods_without_success) {
  history_.last_success = now_.day;
  auto plan = made();
  plan.woken(now_);
  plan.looked(found(10, 0), now_);
  now_.day += 48h;
  EXPECT_TRUE(plan.view(now_).healthy);
  now_.day += 1us;
  EXPECT_FALSE(plan.view(now_).healthy);
  EXPECT_TRUE(made().view(now_).healthy) << "one that has just been born had no time yet";
}

// A file, a writer and readers as they come: whatever happens, a pass ends, what it says is true, and the plan rests in
// a file that has no more free than it may.
TEST_F(vacuum_plan_test, every_pass_comes_to_an_end_that_is_true) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const auto one_of = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    std::int64_t pages = 300 + one_of(60'000);
    std::int64_t free = one_of(static_cast<std::uint64_t>(pages - 50));
    history_.last_success = now_.day;
    auto plan = made();
    auto does = plan.begin();
    std::int64_t freed = 0;
    std::int64_t slices = 0;
    bool ended = false;
    int steps = 0;
    for (; steps < 20'000 && !ended; ++steps) {
      const auto unlucky = one_of(10);
      if (const auto* rest = is<vacuum_plan::rest>(does)) {
        ASSERT_GE(rest->pause, 1ms);
        if (plan.is_at_rest() && steps > 5) {
          break;
        }
        pass_time(rest->pause);
        does = one_of(200) == 0 ? plan.asked(now_) : plan.woken(now_);
        if (is<vacuum_plan::nothing>(does)) {
          does = plan.woken(now_);
        }
      } else if (is<vacuum_plan::look>(does)) {
        does = plan.looked(found(pages, free), now_);
      } else if (const auto* slice = is<vacuum_plan::free_some>(does)) {
        ASSERT_GE(slice->what.pages, slice_pace::pages_min);
        ASSERT_LE(slice->what.pages, slice_pace::pages_max);
        if (unlucky == 0 && slice->what.turn == maintenance_turn::when_idle) {
          does = plan.writer_was_busy(now_);
        } else if (unlucky == 1) {
          does = plan.failed(disk_error, now_);
        } else {
          const auto count = std::min(slice->what.pages, free);
          pages -= count;
          free -= count;
          freed += count;
          ++slices;
          const auto grown = one_of(3);  // commits of others
          pages += grown;
          auto told = progress(count, pages, free);
          told.took = std::chrono::microseconds{one_of(20'000)};
          does = plan.freed(told, now_);
        }
      } else if (is<vacuum_plan::shrink>(does)) {
        does = unlucky == 0 ? plan.writer_was_busy(now_) : plan.shrunk(unlucky < 4 ? held : cut, now_);
      } else if (const auto* end = is<vacuum_plan::write_down>(does)) {
        EXPECT_EQ(end->pass.freed_pages, freed);
        EXPECT_EQ(end->pass.slices, slices);
        EXPECT_EQ(end->pass.bytes_after, pages * page);
        if (!end->pass.failure) {
          EXPECT_LE(free * 40, pages);
        }
        ended = true;
      }
    }
    EXPECT_LT(steps, 20'000);
    if (!ended) {
      EXPECT_LE(free, std::max(mib_of_pages, pages / 20));
    }
  }
}

}  // namespace
}  // namespace troupe
