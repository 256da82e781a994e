// The numbers are those of the header's invariants; L1 to L3, those of provider_limits.
#include "tests/actors/governor/admission_fixture.hpp"

#include <algorithm>
#include <random>

namespace troupe::test {
namespace {

class admission_test : public admission_fixture {
 protected:
  static ask_permit retry_of(const std::string& provider, error_class failed_as = error_class::retryable) {
    ask_permit what;
    what.provider = provider_name{provider};
    what.is_retry = true;
    what.failed_as = failed_as;
    return what;
  }
};

TEST_F(admission_test, without_limits_everything_begins_at_once) {
  make({});
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(is_granted(ask("r", i % 2 == 0 ? "" : "unknown")));
  }
  EXPECT_FALSE(wake_);
}

TEST_F(admission_test, the_node_has_a_limit) {  // 1
  admission_rules rules;
  rules.attempts_max = 2;
  make(rules);
  const auto first = ask("a", "");
  const auto second = ask("b", "x");
  const auto third = ask("c", "");
  EXPECT_TRUE(waits(third));
  EXPECT_FALSE(wake_) << "only an end helps";
  end(first);
  EXPECT_TRUE(is_granted(third));
  end(second);
  EXPECT_EQ(brain_->view(now_).running, 1);
}

TEST_F(admission_test, a_provider_has_its_own) {  // 1, 3
  auto spec = limited("p");
  spec.max_concurrent = 2;
  make(with(spec));
  const auto one = ask("a");
  ask("a");
  const auto three = ask("a");
  EXPECT_TRUE(waits(three));
  EXPECT_TRUE(is_granted(ask("a", "other"))) << "the blocked provider holds nobody else up";
  EXPECT_TRUE(is_granted(ask("a", "")));
  EXPECT_EQ(provider().running, 2);
  EXPECT_EQ(provider().waiting, 1);
  end(one);
  EXPECT_TRUE(is_granted(three));
}

TEST_F(admission_test, a_refusal_waits_for_no_room) {  // 5
  auto spec = limited("p");
  spec.breaker.consecutive = 1;
  auto rules = with(spec);
  rules.attempts_max = 3;
  make(rules);
  const auto fails = ask("a");
  ask("a", "");
  ask("a", "");
  const auto waited = ask("b");
  const auto other = ask("b", "other");
  EXPECT_TRUE(waits(waited)) << "the node is full";
  end(fails, permit_end::failed);
  EXPECT_TRUE(is_granted(other)) << "the node is full again";
  EXPECT_EQ(refusal_of(waited).code, error_code::circuit_open);
  EXPECT_EQ(refusal_of(ask("c")).code, error_code::circuit_open);
  EXPECT_EQ(refusal_of(ask("c", retry_of("p"))).code, error_code::circuit_open);
  EXPECT_EQ(provider().waiting, 0);
}

TEST_F(admission_test, a_refusal_waits_for_no_retry_budget) {  // 5
  auto spec = limited("p");
  spec.requests_per_day = 4;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 0, {}}}, now_));
  for (int i = 0; i < 3; ++i) {
    ask("a", retry_of("p"));
  }
  const auto fourth = ask("b", retry_of("p"));
  EXPECT_TRUE(waits(fourth)) << "three retries at a time";
  EXPECT_TRUE(is_granted(ask("b")));
  EXPECT_EQ(refusal_of(fourth).code, error_code::rate_limited) << "the day is used up";
}

TEST_F(admission_test, a_minutes_requests_wait_for_the_minute) {  // 1, 6
  auto spec = limited("p");
  spec.requests_per_minute = 3;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 0, {}}}, now_));
  for (int i = 0; i < 3; ++i) {
    end(ask("a"));
    pass(1s);
  }
  const auto fourth = ask("a");
  EXPECT_TRUE(waits(fourth));
  EXPECT_EQ(wake_, now_.steady - 3s + use_window::length);
  wake();
  EXPECT_TRUE(is_granted(fourth));
}

TEST_F(admission_test, a_large_one_is_not_passed_by_small_ones_for_ever) {  // 1
  auto spec = limited("p");
  spec.input_tokens_per_minute = 1'000;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 0, {}}}, now_));
  ask_permit what;
  what.provider = provider_name{"p"};
  what.estimate.input = 600;
  EXPECT_TRUE(is_granted(ask("a", what)));
  const auto large = ask("b", what);
  what.estimate.input = 100;
  what.is_retry = true;
  const auto small = ask("c", what);
  EXPECT_TRUE(waits(large));
  EXPECT_TRUE(waits(small));
  wake();
  EXPECT_TRUE(is_granted(large));
  EXPECT_TRUE(is_granted(small));
}

TEST_F(admission_test, of_a_storm_of_retries_three_run_at_a_time) {  // 1, 3
  make({});
  std::deque<admission::question> storm;
  for (int i = 0; i < 100; ++i) {
    storm.push_back(ask("r" + std::to_string(i % 10), retry_of("p")));
  }
  int most = 0;
  while (!storm.empty()) {
    most = std::max(most, brain_->view(now_).retries_running);
    const auto next = std::find_if(storm.begin(), storm.end(), [&](auto each) { return is_granted(each); });
    ASSERT_NE(next, storm.end());
    EXPECT_TRUE(is_granted(ask("fresh", ""))) << "what is no retry goes on";
    end(newest_);
    end(*next);
    storm.erase(next);
  }
  EXPECT_EQ(most, 3);
  EXPECT_EQ(brain_->view(now_).retries.retryable, 100);
  EXPECT_EQ(brain_->view(now_).retries.permanent, 0);
}

TEST_F(admission_test, retries_are_a_tenth_of_what_runs) {  // 1
  make({});
  for (int i = 0; i < 90; ++i) {
    ask("r", "");
  }
  std::vector<admission::question> retries;
  for (int i = 0; i < 20; ++i) {
    retries.push_back(ask("s", retry_of("p")));
  }
  EXPECT_EQ(std::count_if(retries.begin(), retries.end(), [&](auto each) { return is_granted(each); }), 9)
      << "with the tenth there would be a hundred, but it is not there yet";
  EXPECT_EQ(brain_->view(now_).retries_max, 9);
}

TEST_F(admission_test, an_open_breaker_refuses_with_the_time_until_its_probe) {  // L1
  make(with(limited("p")));
  std::vector<admission::question> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(ask("a"));
  }
  for (int i = 0; i < 10; ++i) {
    end(all[static_cast<std::size_t>(i)], permit_end::failed);
  }
  pass(10s);
  const auto refused = ask("a");
  ASSERT_TRUE(is_refused(refused));
  EXPECT_EQ(refusal_of(refused).code, error_code::circuit_open);
  EXPECT_EQ(refusal_of(refused).retry_after, 20s);
  EXPECT_NE(refusal_of(refused).message.find("2026-11-21T12:00:30"), std::string::npos);
  EXPECT_EQ(provider().breaker, breaker_state::open);
  EXPECT_EQ(provider().rejected, 1);
  pass(20s);
  const auto probe = ask("a");
  const auto behind = ask("b");
  EXPECT_TRUE(is_granted(probe));
  EXPECT_TRUE(waits(behind)) << "it is soon known how the probe went";
  end(probe, permit_end::failed);
  ASSERT_TRUE(is_refused(behind)) << "and who waited for it is told";
  EXPECT_EQ(refusal_of(behind).retry_after, 30s);
  pass(30s);
  const auto second = ask("b");
  end(second);
  EXPECT_TRUE(is_granted(ask("c")));
  EXPECT_TRUE(is_granted(ask("c")));
}

TEST_F(admission_test, a_short_pause_waits_and_a_long_one_is_refused) {  // L1
  make(with(limited("p")));
  end(ask("a"), permit_end::rate_limited, std::nullopt, 60s);
  const auto short_wait = ask("a");
  EXPECT_TRUE(waits(short_wait));
  EXPECT_EQ(wake_, now_.steady + 60s);
  wake();
  end(short_wait, permit_end::rate_limited, std::nullopt, 61s);
  const auto long_wait = ask("a");
  ASSERT_TRUE(is_refused(long_wait));
  EXPECT_EQ(refusal_of(long_wait).code, error_code::rate_limited);
  EXPECT_EQ(refusal_of(long_wait).retry_after, 61s);
  EXPECT_EQ(provider().rate_limited, 2);
  EXPECT_EQ(provider().breaker, breaker_state::closed) << "refusals are no failures";
}

TEST_F(admission_test, the_days_quota_is_refused_until_midnight) {  // L1, L3
  auto spec = limited("p");
  spec.requests_per_day = 2;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 1, {}}}, now_));
  end(ask("a"));
  const auto refused = ask("a");
  ASSERT_TRUE(is_refused(refused));
  EXPECT_EQ(refusal_of(refused).code, error_code::rate_limited);
  EXPECT_EQ(refusal_of(refused).retry_after, 12h);
  EXPECT_EQ(refusal_of(refused).message,
            "provider p: 2 of 2 requests of this day (UTC) are used; the quota begins anew at "
            "2026-11-22T00:00:00.000000Z");
  now_.day -= 24h;  // somebody sets the clock back
  EXPECT_TRUE(is_refused(ask("a"))) << "yesterday does not begin anew";
  now_.day += 24h + 11h + 59min + 30s;
  const auto soon = ask("a");
  EXPECT_TRUE(waits(soon)) << "half a minute is waited for";
  EXPECT_EQ(wake_, now_.steady + 30s);
  wake();
  EXPECT_TRUE(is_granted(soon));
  EXPECT_EQ(provider().requests_per_day.used, 1);
}

TEST_F(admission_test, nothing_that_is_counted_begins_before_the_rows_are_read) {  // L2
  auto spec = limited("p");
  spec.requests_per_minute = 3;
  make(with(spec));
  const auto counted = ask("a");
  EXPECT_TRUE(waits(counted));
  EXPECT_TRUE(is_granted(ask("a", "other")));
  EXPECT_EQ(brain_->providers_to_read(), std::vector<provider_name>{provider_name{"p"}});
  provider_use use{provider_name{"p"}, 17, {}};
  for (const auto ago : {50s, 40s, 30s}) {
    use.last_minute.push_back({now_.day - ago, {10, 10}});
  }
  take(brain_->restored({use}, now_));
  EXPECT_TRUE(brain_->providers_to_read().empty());
  EXPECT_TRUE(waits(counted)) << "its predecessor used the minute up";
  EXPECT_EQ(wake_, now_.steady - 50s + use_window::length);
  EXPECT_EQ(provider().requests_per_day.used, 17);
  wake();
  EXPECT_TRUE(is_granted(counted));
}

TEST_F(admission_test, rows_of_the_future_count_from_now) {  // L2
  auto spec = limited("p");
  spec.requests_per_minute = 1;
  make(with(spec));
  const auto counted = ask("a");
  take(brain_->restored({{provider_name{"p"}, 1, {{now_.day + 1h, {}}}}}, now_));
  EXPECT_TRUE(waits(counted));
  EXPECT_EQ(wake_, now_.steady + use_window::length)
      << "a clock that was set back since does not hold it up for longer";
}

TEST_F(admission_test, a_quota_of_the_day_alone_is_read_as_well) {  // L2
  auto spec = limited("p");
  spec.requests_per_day = 1;
  make(with(spec));
  const auto counted = ask("a");
  EXPECT_TRUE(waits(counted));
  take(brain_->restored({{provider_name{"p"}, 1, {}}}, now_));
  EXPECT_TRUE(is_refused(counted));
}

TEST_F(admission_test, what_the_provider_refused_counts_for_nothing_and_what_failed_for_what_it_used) {
  auto spec = limited("p");
  spec.requests_per_minute = 10;
  spec.input_tokens_per_minute = 1'000;
  spec.requests_per_day = 100;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 0, {}}}, now_));
  ask_permit large;
  large.provider = spec.name;
  large.estimate = {100, 0};
  end(ask("a", large), permit_end::failed, token_estimate{700, 0});
  EXPECT_EQ(provider().input_tokens_per_minute.used, 700);
  end(ask("a", large), permit_end::rate_limited, std::nullopt, 30s);
  EXPECT_EQ(provider().input_tokens_per_minute.used, 700);
  EXPECT_EQ(provider().requests_per_minute.used, 1);
  EXPECT_EQ(provider().requests_per_day.used, 1);
  EXPECT_EQ(provider().closed_until, now_.day + 30s);
}

TEST_F(admission_test, an_attempt_of_yesterday_that_is_refused_today_leaves_todays_count_alone) {  // L3
  auto spec = limited("p");
  spec.requests_per_day = 5;
  make(with(spec));
  take(brain_->restored({{provider_name{"p"}, 0, {}}}, now_));
  const auto yesterdays = ask("a");
  pass(13h);
  end(ask("a"));
  EXPECT_EQ(provider().requests_per_day.used, 1);
  end(yesterdays, permit_end::rate_limited, std::nullopt, 1s);
  EXPECT_EQ(provider().requests_per_day.used, 1);
}

TEST_F(admission_test, wakes_at_the_earliest_of_several_times) {  // 5
  admission_rules rules;
  for (const auto* name : {"p", "q"}) {
    auto spec = limited(name);
    spec.requests_per_minute = 1;
    rules.providers[spec.name] = spec;
  }
  make(rules);
  take(brain_->restored({{provider_name{"p"}, 0, {}}, {provider_name{"q"}, 0, {}}}, now_));
  const auto first = now_.steady;
  ask("a", "p");
  pass(10s);
  ask("a", "q");
  ask("b", "p");
  EXPECT_EQ(wake_, first + use_window::length);
  ask("c", "q");
  EXPECT_EQ(wake_, first + use_window::length) << "whoever was looked at last";
  ask_permit urgent;
  urgent.provider = provider_name{"q"};
  urgent.priority = 9;
  ask("d", urgent);
  EXPECT_EQ(wake_, first + use_window::length) << "or first";
}

TEST_F(admission_test, an_open_breaker_refuses_retries_as_well) {  // L1
  make(with(limited("p")));
  std::vector<admission::question> all;
  for (int i = 0; i < 11; ++i) {
    all.push_back(ask("a"));
  }
  for (int i = 0; i < 10; ++i) {
    end(all[static_cast<std::size_t>(i)], permit_end::failed);
  }
  ask_permit again;
  again.provider = provider_name{"p"};
  again.is_retry = true;
  again.failed_as = error_class::retryable;
  EXPECT_EQ(refusal_of(ask("a", again)).code, error_code::circuit_open);
  EXPECT_EQ(brain_->view(now_).retries.retryable, 0) << "it was not let go";
}

TEST_F(admission_test, retries_are_counted_by_what_the_attempt_before_them_failed_of) {
  make({});
  ask_permit again;
  again.is_retry = true;
  EXPECT_TRUE(is_granted(ask("a", again))) << "as what is not known";
  for (const auto what : {error_class::retryable,
                          error_class::permanent,
                          error_class::degraded,
                          error_class::degraded,
                          error_class::unknown,
                          error_class::unknown,
                          error_class::unknown}) {
    again.failed_as = what;
    const auto next = ask("a", again);
    end(next);
  }
  const auto counted = brain_->view(now_).retries;
  EXPECT_EQ(counted.retryable, 1);
  EXPECT_EQ(counted.permanent, 1) << "a 0 here means that there was none";
  EXPECT_EQ(counted.degraded, 2);
  EXPECT_EQ(counted.unknown, 3);
}

TEST_F(admission_test, a_question_that_is_asked_again_replaces_the_former) {  // 2
  admission_rules rules;
  rules.attempts_max = 1;
  make(rules);
  const auto running = ask("a", "");
  ask_permit same;
  same.task = task_id{"b/1/s/x"};
  same.attempt = attempt_no{1};
  const auto former = ask("b", same);
  const auto latter = ask("b", same);
  EXPECT_TRUE(dropped_.contains(former));
  EXPECT_EQ(brain_->view(now_).waiting, 1);
  end(running);
  EXPECT_TRUE(is_granted(latter));
  EXPECT_FALSE(is_granted(former));
}

TEST_F(admission_test, what_is_withdrawn_is_not_answered) {  // 2
  admission_rules rules;
  rules.attempts_max = 1;
  make(rules);
  const auto running = ask("a", "");
  const auto waiting = ask("b", "");
  const withdraw_permit what{asked_[waiting].task, asked_[waiting].attempt};
  take(brain_->withdraw(holder_of("a"), what, now_));
  EXPECT_FALSE(dropped_.contains(waiting)) << "it is not his";
  take(brain_->withdraw(holder_of("b"), what, now_));
  EXPECT_TRUE(dropped_.contains(waiting));
  take(brain_->withdraw(holder_of("b"), what, now_));
  end(running);
  EXPECT_TRUE(waits(waiting));
  EXPECT_EQ(brain_->view(now_).running, 0);
}

TEST_F(admission_test, who_goes_leaves_nothing_behind) {  // 4
  auto spec = limited("p");
  spec.max_concurrent = 2;
  make(with(spec));
  const auto held = ask("a");
  ask("a");
  const auto lost = ask("a");
  const auto other = ask("b");
  take(brain_->holder_gone(holder_of("a"), now_));
  EXPECT_TRUE(dropped_.contains(lost));
  EXPECT_TRUE(is_granted(other));
  EXPECT_EQ(provider().running, 1);
  take(brain_->returned({permit_of(held), permit_end::succeeded, {}, {}}, now_));
  EXPECT_EQ(provider().running, 1) << "it was returned already";
  take(brain_->holder_gone(holder_of("nobody"), now_));
}

TEST_F(admission_test, a_run_that_came_again_keeps_its_question_when_its_former_self_is_gone) {  // 4
  admission_rules rules;
  rules.attempts_max = 1;
  make(rules);
  const auto running = ask("x", "");
  ask_permit same;
  same.task = task_id{"a/1/s/x"};
  same.attempt = attempt_no{1};
  ask("before", same);
  const auto after = ask("after", same);
  take(brain_->holder_gone(holder_of("before"), now_));
  EXPECT_FALSE(dropped_.contains(after));
  end(running);
  EXPECT_TRUE(is_granted(after));
}

TEST_F(admission_test, permits_of_another_governor_are_nothing) {
  admission_rules rules;
  rules.first_permit = 1'000;
  make(rules);
  EXPECT_EQ(permit_of(ask("a", "")), permit_id{1'000});
  take(brain_->returned({permit_id{999}, permit_end::failed, {}, {}}, now_));
  EXPECT_EQ(brain_->view(now_).running, 1);
}

TEST_F(admission_test, failures_without_a_provider_open_no_breaker) {
  make({});
  for (int i = 0; i < 200; ++i) {
    end(ask("a", ""), permit_end::failed);
  }
  EXPECT_TRUE(is_granted(ask("a", "")));
  EXPECT_TRUE(brain_->view(now_).providers.empty());
}

// Whatever comes in whatever order: each question has one answer at last, and no limit is passed.
TEST_F(admission_test, every_question_is_answered_and_no_limit_passed) {  // 1, 2, 4, 6
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const auto one_of = [&](std::uint64_t n) { return static_cast<int>(random() % n); };
    admission_rules rules;
    rules.attempts_max = 5 + one_of(10);
    auto p = limited("p");
    p.max_concurrent = 1 + one_of(5);
    p.requests_per_minute = 5 + one_of(50);
    p.breaker.open_for = 5s;
    rules.providers[p.name] = p;
    make(rules);
    granted_.clear();
    refused_.clear();
    dropped_.clear();
    take(brain_->restored({{p.name, 0, {}}}, now_));
    std::vector<admission::question> all;
    std::set<admission::question> ended;
    const auto settle_one = [&] {
      for (const auto& [number, permit] : granted_) {
        if (!ended.contains(number) && one_of(2) == 0) {
          const auto how = static_cast<permit_end>(one_of(10) < 7 ? 0 : one_of(4));
          ended.insert(number);
          end(number, how, std::nullopt, milliseconds{one_of(3'000)});
          return;
        }
      }
    };
    for (int i = 0; i < 600; ++i) {
      pass(milliseconds{one_of(300)});
      if (wake_ && now_.steady >= *wake_) {
        take(brain_->woken(now_));
      }
      if (one_of(2) == 0) {
        auto what = retry_of(one_of(3) == 0 ? "" : one_of(2) == 0 ? "p" : "q");
        what.is_retry = one_of(3) == 0;
        what.priority = one_of(10);
        all.push_back(ask("r" + std::to_string(one_of(5)), what));
      } else {
        settle_one();
      }
      const auto view = brain_->view(now_);
      ASSERT_LE(view.running, rules.attempts_max);
      ASSERT_LE(provider("p").running, p.max_concurrent);
      ASSERT_LE(provider("p").requests_per_minute.used, p.requests_per_minute);
      ASSERT_LE(view.retries_running, std::max(3, rules.attempts_max / 10));
    }
    for (int i = 0; i < 20'000 && brain_->view(now_).running + brain_->view(now_).waiting > 0; ++i) {
      if (brain_->view(now_).running > 0) {
        settle_one();
      } else {
        wake();
      }
    }
    for (const auto number : all) {
      ASSERT_TRUE(!waits(number) || dropped_.contains(number)) << number;
    }
  }
}

}  // namespace
}  // namespace troupe::test
