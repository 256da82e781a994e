// Good and bad commands in batches of any size come to what the good ones alone come to, one by one.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

struct wanted {
  write_command what;
  bool is_good = true;  ///< Changes rows; a repeat does not, and neither does what is refused.
};

class mixed_batches_test : public testing::TestWithParam<unsigned> {
 protected:
  // The facts of one run with bad ones among them, in an order that the run allows.
  std::vector<wanted> facts_of(int number) {
    story told{"r-" + std::to_string(number)};
    const auto task = told.task("survey", "claude");
    const auto second = told.task("plan", "claude", 2);
    std::vector<wanted> facts;
    const auto good = [&](const write_command& what) {
      facts.push_back({what, true});
      for (int i = chance(3); i > 0; --i) {
        facts.push_back({bad(told, facts), false});
      }
    };
    good(told.created());
    good(told.resumed(1));
    good(told.started(task));
    good(told.printed(task, std::string(static_cast<std::size_t>(chance(2'000)), 'x')));
    good(told.finished(task, "1"));
    good(told.committed(1, R"({"findings":[1]})", {{"plan", "claude"}}, {story::alone("survey", "claude", "1")}));
    good(told.started(second));
    good(told.resumed(9));
    good(told.started(second, 2));
    good(told.finished(second, "2", 2));
    good(told.committed(2, R"({"findings":[1,2]})", {}, {story::alone("plan", "claude", "2")}));
    return facts;
  }

  // A repeat; the same key with other content; a command that is out of turn; one that fails half way; one that a
  // constraint of the table refuses.
  write_command bad(story& told, const std::vector<wanted>& facts) {
    const auto& before = facts[static_cast<std::size_t>(chance(static_cast<int>(facts.size())))].what;
    switch (chance(6)) {
      case 0:
      case 1:
        return before;
      case 2: {
        auto other = told.created();
        other.subject = "another";
        return other;
      }
      case 3:
        return told.finished(told.task("nothing", "claude"), "1");
      case 4: {
        auto broken = told.committed(1, "{not json", {{"a", "claude"}}, {story::alone("survey", "claude", "1")});
        return broken;
      }
      default: {
        auto broken = story{"r-broken"}.created();
        broken.inputs = json_text{"{not json"};
        return broken;
      }
    }
  }

  int chance(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  std::mt19937_64 random_{GetParam()};
};

TEST_P(mixed_batches_test, come_to_what_the_good_commands_come_to) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::vector<std::vector<wanted>> runs;
  for (int i = 0; i < 6; ++i) {
    runs.push_back(facts_of(i));
  }
  std::vector<wanted> all;  // interleaved, each run in its order
  for (std::size_t left = 1; left > 0;) {
    auto& run = runs[static_cast<std::size_t>(chance(static_cast<int>(runs.size())))];
    if (!run.empty()) {
      all.push_back(run.front());
      run.erase(run.begin());
    }
    left = 0;
    for (const auto& one : runs) {
      left += one.size();
    }
  }
  const temporary_database mixed;
  const temporary_database undisturbed;
  std::vector<std::int64_t> told;
  {
    auto session = writer_on(mixed.options());
    for (std::size_t at = 0; at < all.size();) {
      ASSERT_TRUE(session->begin());
      for (int batch = 1 + chance(12); batch > 0 && at < all.size(); --batch, ++at) {
        const auto outcome = session->apply(all[at].what);
        if (all[at].is_good) {
          ASSERT_TRUE(outcome) << at << ": " << outcome.error().message;
          ASSERT_FALSE(outcome->receipt.repeated) << at;
          told.push_back(outcome->receipt.last.value());
        } else {
          ASSERT_TRUE(!outcome || outcome->receipt.repeated) << at;
        }
      }
      ASSERT_TRUE(session->commit());
    }
  }
  {
    auto session = writer_on(undisturbed.options());
    std::size_t receipt = 0;
    for (const auto& one : all) {
      if (one.is_good) {
        EXPECT_EQ(must_write(*session, one.what).receipt.last.value(), told[receipt++]);
      }
    }
  }
  EXPECT_EQ(all_rows(mixed.path()), all_rows(undisturbed.path()));
}

INSTANTIATE_TEST_SUITE_P(by_seed, mixed_batches_test, testing::Range(1U, 7U));

}  // namespace
}  // namespace troupe
