#include "actors/fault_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

std::shared_ptr<fault_plan> plan(const std::string& text) {
  const auto made = fault_plan::parse(text);
  EXPECT_TRUE(made) << text << ": " << (made ? "" : made.error().message);
  return made ? *made : nullptr;
}

std::string refusal(const std::string& text) {
  const auto made = fault_plan::parse(text);
  if (made) {
    return "taken";
  }
  EXPECT_EQ(made.error().code, error_code::invalid_input);
  EXPECT_NE(made.error().hint.find("agent.429"), std::string::npos) << "which names there are";
  return made.error().message;
}

// The code of what befalls the attempt; `-` where nothing does.
std::string befalls(fault_plan& of, const std::string& task = "t", std::int64_t attempt = 1) {
  const auto due = of.take_for(task_id{task}, attempt_no{attempt});
  return due ? std::string{to_string(due->code)} : "-";
}

TEST(fault_plan_test, each_name_is_the_error_that_it_says) {
  const std::map<std::string, std::string> of_attempts{{"agent.timeout", "TASK_TIMEOUT"},
                                                       {"agent.429", "RATE_LIMITED"},
                                                       {"agent.503", "PROVIDER_UNAVAILABLE"},
                                                       {"agent.401", "AUTH_REQUIRED"},
                                                       {"agent.exit", "AGENT_EXIT"},
                                                       {"agent.signal", "AGENT_SIGNAL"},
                                                       {"agent.no_output", "AGENT_NO_OUTPUT"},
                                                       {"agent.spawn", "AGENT_NOT_FOUND"}};
  for (const auto& [name, code] : of_attempts) {
    const auto one = plan(name);
    EXPECT_FALSE(one->take_for_commit()) << name;
    const auto due = one->take_for(task_id{"t"}, attempt_no{1});
    ASSERT_TRUE(due) << name;
    EXPECT_EQ(to_string(due->code), code);
    EXPECT_NE(due->message.find("injected by TROUPE_FAULTS (" + name + ": 1 of 1)"), std::string::npos) << due->message;
    EXPECT_EQ(befalls(*one), "-") << name << " happens once";
  }
  const std::map<std::string, std::string> of_commits{
      {"storage.busy", "STORAGE_BUSY"}, {"storage.full", "STORAGE_FULL"}, {"storage.io", "STORAGE_UNAVAILABLE"}};
  for (const auto& [name, code] : of_commits) {
    const auto one = plan(name);
    EXPECT_EQ(befalls(*one), "-") << name;
    const auto due = one->take_for_commit();
    ASSERT_TRUE(due) << name;
    EXPECT_EQ(to_string(due->code), code);
    EXPECT_NE(due->message.find("injected by TROUPE_FAULTS"), std::string::npos) << due->message;
    EXPECT_FALSE(one->take_for_commit()) << name;
  }
}

TEST(fault_plan_test, what_stands_first_happens_first_and_nothing_is_lost) {
  const auto both = plan(" agent.timeout:2 , agent.429 : 1,storage.busy:3 ");
  std::vector<std::string> seen;
  for (int i = 0; i < 5; ++i) {
    seen.push_back(befalls(*both));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"TASK_TIMEOUT", "TASK_TIMEOUT", "RATE_LIMITED", "-", "-"}));
  const auto view = both->view();
  ASSERT_EQ(view.size(), 3U);
  EXPECT_EQ(to_text(view[0]), "agent.timeout: 2 of 2");
  EXPECT_EQ(to_text(view[1]), "agent.429: 1 of 1");
  EXPECT_EQ(to_text(view[2]), "storage.busy: 0 of 3");
}

TEST(fault_plan_test, no_text_is_no_plan) {
  EXPECT_EQ(plan(""), nullptr);
  EXPECT_EQ(plan(" \n"), nullptr);
}

TEST(fault_plan_test, refuses_what_is_no_plan) {
  const std::string start = "TROUPE_FAULTS: ";
  EXPECT_EQ(refusal("agent.timeuot:2"), start + "there is no fault 'agent.timeuot'");
  EXPECT_EQ(refusal("agent.429:2,"), start + "an entry is empty");
  EXPECT_EQ(refusal("agent.429,agent.429:3"), start + "'agent.429' is there twice");
  for (const char* text : {"agent.429:",
                           "agent.429:0",
                           "agent.429:-1",
                           "agent.429:x",
                           "agent.429:1.5",
                           "agent.429:%",
                           "agent.429:0%",
                           "agent.429:101%",
                           "agent.429:1000000001",
                           "agent.429:2:3"}) {
    EXPECT_EQ(refusal(text), start + "'" + text + "' has no count from 1 on, and no part from 1% to 100%");
  }
  EXPECT_EQ(refusal("agent.429:5%,seed=x"), start + "'seed=x' has no whole number");
  EXPECT_EQ(refusal("agent.429:5%,seed=-1"), start + "'seed=-1' has no whole number");
  EXPECT_EQ(refusal("seed=1,agent.429:5%,seed=2"), start + "'seed' is there twice");
  EXPECT_EQ(refusal("agent.429:5,seed=1"), start + "'seed' has no use: nothing in the plan happens by chance");
  EXPECT_EQ(refusal("seed=1"), start + "'seed' has no use: nothing in the plan happens by chance");
}

TEST(fault_plan_test, counts_are_exact_over_threads) {
  const auto shared = plan("agent.exit:700,agent.429:300,storage.busy:100");
  std::atomic<int> exits{0};
  std::atomic<int> limits{0};
  std::atomic<int> busy{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < 500; ++i) {
        const auto due = befalls(*shared, "t" + std::to_string(number), i + 1);
        exits += due == "AGENT_EXIT" ? 1 : 0;
        limits += due == "RATE_LIMITED" ? 1 : 0;
        busy += shared->take_for_commit() ? 1 : 0;
      }
    });
  }
  for (auto& each : threads) {
    each.join();
  }
  EXPECT_EQ(exits, 700);
  EXPECT_EQ(limits, 300);
  EXPECT_EQ(busy, 100);
}

// Which attempts fail follows from the seed, not from who asks first.
TEST(fault_plan_test, chance_is_a_matter_of_the_seed) {
  const auto failing = [](const std::string& text, bool backwards) {
    const auto drawn = plan(text);
    std::vector<int> tasks(1'000);
    std::ranges::generate(tasks, [i = 0]() mutable { return i++; });
    if (backwards) {
      std::ranges::reverse(tasks);
    }
    std::vector<int> failed;
    std::ranges::copy_if(tasks, std::back_inserter(failed), [&](int task) {
      return befalls(*drawn, "t" + std::to_string(task)) != "-";
    });
    std::ranges::sort(failed);
    return failed;
  };
  const auto seven = failing("agent.exit:10%,seed=7", false);
  EXPECT_GT(seven.size(), 70U);
  EXPECT_LT(seven.size(), 130U);
  EXPECT_EQ(seven, failing("seed=7,agent.exit:10%", true));
  EXPECT_NE(seven, failing("agent.exit:10%,seed=8", false));
  EXPECT_NE(seven, failing("agent.exit:10%", false));
  EXPECT_EQ(failing("agent.exit:100%", false).size(), 1'000U);
  const auto rare = plan("agent.exit:1%");
  int hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    hits += befalls(*rare, "t" + std::to_string(i)) != "-" ? 1 : 0;
  }
  EXPECT_NEAR(hits, 200, 60);
  const auto drawn = plan("agent.exit:50%");
  int repeats = 0;
  for (int i = 1; i <= 100; ++i) {
    repeats += befalls(*drawn, "one task", i) != "-" ? 1 : 0;
  }
  EXPECT_GT(repeats, 20) << "each attempt of a task is drawn anew";
  EXPECT_LT(repeats, 80);
}

}  // namespace
}  // namespace troupe
