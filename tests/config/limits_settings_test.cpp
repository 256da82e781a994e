// [providers.NAME] and [retry]: what is read, what is refused and where.
#include "config/load.hpp"
#include "config/pin.hpp"
#include "config/workflow_file.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

constexpr const char* agent = "[agents.a]\ncommand = ['a']\nprovider = 'p'\n";

std::string problems_of(const std::string& text) { return joined(lines_of(load_config(sources_of(text)).problems)); }

TEST(LimitsSettings, of_the_contract_are_read) {
  const auto loaded = load_config(sources_of(std::string{agent} + R"(
[providers.p]
max_concurrent = 3
requests_per_minute = 50
input_tokens_per_minute = 40000
output_tokens_per_minute = 8000
requests_per_day = 0
breaker = { window = 50, min_calls = 5, failure_rate = 0.25, open_for = "10s", consecutive = 4 }
[retry.agent]
max_attempts = 5
total = "10m"
[retry.storage]
jitter = 0
)"));
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_TRUE(loaded.problems.empty()) << joined(lines_of(loaded.problems));
  const auto& provider = loaded.values->providers.at(provider_name{"p"});
  EXPECT_EQ(provider.name, provider_name{"p"});
  EXPECT_EQ(provider.max_concurrent, 3);
  EXPECT_EQ(provider.requests_per_minute, 50);
  EXPECT_EQ(provider.input_tokens_per_minute, 40'000);
  EXPECT_EQ(provider.output_tokens_per_minute, 8'000);
  EXPECT_EQ(provider.requests_per_day, 0);
  EXPECT_EQ(provider.breaker, (breaker_spec{50, 5, 0.25, 4, 10s}));
  EXPECT_EQ(loaded.values->retry.agent, (retry_policy{5, 1s, 16s, 2.0, 0.5, 10min}));
  EXPECT_EQ(loaded.values->retry.storage, (retry_policy{5, 100ms, 10s, 2.0, 0.0, std::nullopt}));
}

TEST(LimitsSettings, layers_add_to_each_other_key_by_key) {
  auto sources = sources_of(std::string{agent} + "[providers.p.breaker]\nwindow = 50\n[retry.agent]\ninitial = '2s'\n");
  sources.environment["TROUPE_RETRY__AGENT__MAX_ATTEMPTS"] = "7";
  sources.environment["TROUPE_PROVIDERS__P__REQUESTS_PER_DAY"] = "100";
  sources.assignments = {"providers.p.breaker.open_for=5s", "retry.agent.jitter=0.25", "providers.p.max_concurrent=2"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_TRUE(loaded.problems.empty()) << joined(lines_of(loaded.problems));
  const auto& provider = loaded.values->providers.at(provider_name{"p"});
  EXPECT_EQ(provider.breaker, (breaker_spec{50, 10, 0.5, 0, 5s}));
  EXPECT_EQ(provider.requests_per_day, 100);
  EXPECT_EQ(provider.max_concurrent, 2);
  EXPECT_EQ(loaded.values->retry.agent, (retry_policy{7, 2s, 16s, 2.0, 0.25, std::nullopt}));
  EXPECT_EQ(loaded.origins.at("providers.p.max_concurrent"), "--set providers.p.max_concurrent");
}

TEST(LimitsSettings, mistakes_are_told_with_their_place) {
  struct example {
    const char* text;
    const char* says;
  };
  for (const auto& each : {
           example{"[providers.p]\nmax_concurent = 1\n", "max_concurrent"},
           example{"[providers.p]\nmax_concurrent = -1\n", "max_concurrent"},
           example{"[providers.p]\nrequests_per_day = 1.5\n", "requests_per_day"},
           example{"[providers.P]\nmax_concurrent = 1\n", "is not the name of a provider"},
           example{"[providers]\np = 3\n", "'providers.p' must be a table"},
           example{"[providers.p]\nbreaker = 3\n", "must be a table"},
           example{"[providers.p.breaker]\nwindow = 0\n", "window"},
           example{"[providers.p.breaker]\nwindw = 9\n", "window"},
           example{"[providers.p.breaker]\nfailure_rate = 0\n", "failure_rate"},
           example{"[providers.p.breaker]\nfailure_rate = 1.5\n", "failure_rate"},
           example{"[providers.p.breaker]\nmin_calls = 101\n", "the breaker would never open"},
           example{"[retry.agent]\nmax_attempts = 0\n", "max_attempts"},
           example{"[retry.agent]\ninitial = 5\n", "initial"},
           example{"[retry.agent]\ninitial = '17s'\n", "less than 'initial'"},
           example{"[retry.storage]\nmultiplier = 0.5\n", "multiplier"},
           example{"[retry]\nagent = 3\n", "must be a table"},
           example{"[retry.agents]\ninitial = '1s'\n", "unknown key 'retry.agents'"},
       }) {
    const auto loaded = load_config(sources_of(std::string{each.text} + agent));
    EXPECT_EQ(loaded.values, nullptr) << each.text;
    const auto told = joined(lines_of(loaded.problems));
    EXPECT_NE(told.find(each.says), std::string::npos) << each.text << told;
    EXPECT_FALSE(told.starts_with("0:")) << "without a place: " << each.text << told;
  }
}

TEST(LimitsSettings, a_provider_that_nobody_names_is_a_warning_and_one_without_a_table_is_none) {
  const auto told = problems_of(std::string{agent} + "[providers.other]\nmax_concurrent = 1\n");
  EXPECT_NE(told.find("no agent names the provider 'other'"), std::string::npos) << told;
  EXPECT_NE(load_config(sources_of(std::string{agent} + "[providers.other]\nmax_concurrent = 1\n")).values, nullptr);
  EXPECT_EQ(problems_of(agent), "");
}

TEST(LimitsSettings, a_workflow_has_a_priority_among_the_others) {
  const auto parsed = [](const std::string& limits) {
    return parse_workflow(
        "name='w'\nstart='s'\n[limits]\n" + limits + "[[step]]\nid='s'\nagents=['a']\nprompt='x'\n", "w.toml", "");
  };
  ASSERT_NE(parsed("").flow, nullptr) << joined(lines_of(parsed("").problems));
  EXPECT_EQ(parsed("").flow->limits.priority, 5);
  EXPECT_EQ(parsed("priority = 9\n").flow->limits.priority, 9);
  EXPECT_EQ(parsed("priority = 10\n").flow, nullptr);
  EXPECT_EQ(parsed("priority = -1\n").flow, nullptr);
}

TEST(LimitsSettings, what_a_step_leaves_out_of_its_retries_is_as_configured) {
  const retry_policy configured{7, 2s, 60s, 3.0, 0.25, 10min};
  const auto parsed = [&](const std::string& retry) {
    const auto loaded =
        parse_workflow("name='w'\n[[step]]\nid='s'\nagent='a'\nprompt='x'\n" + retry, "w.toml", "", configured);
    EXPECT_NE(loaded.flow, nullptr) << retry << joined(lines_of(loaded.problems));
    return loaded.flow ? loaded.flow->steps[0].retry : std::nullopt;
  };
  EXPECT_EQ(parsed(""), std::nullopt) << "the step says nothing";
  EXPECT_EQ(parsed("retry = {}\n"), configured);
  EXPECT_EQ(parsed("retry = { max_attempts = 4 }\n"), (retry_policy{4, 2s, 60s, 3.0, 0.25, 10min}));
  EXPECT_EQ(parsed("retry = { total = 'off', jitter = 0 }\n"), (retry_policy{7, 2s, 60s, 3.0, 0.0, std::nullopt}));
  EXPECT_EQ(parsed("retry = { total = '5s', multiplier = 1 }\n"), (retry_policy{7, 2s, 60s, 1.0, 0.25, 5s}));
  EXPECT_EQ(parsed("retry = { initial = '30s' }\n"), (retry_policy{7, 30s, 60s, 3.0, 0.25, 10min}));
  EXPECT_EQ(parsed("retry = { initial = '2m' }\n"), (retry_policy{7, 2min, 2min, 3.0, 0.25, 10min}));
  EXPECT_EQ(parsed("retry = { max = '1s' }\n"), (retry_policy{7, 1s, 1s, 3.0, 0.25, 10min}));
  EXPECT_EQ(parsed("retry = { initial = '9s', max = '9s' }\n"), (retry_policy{7, 9s, 9s, 3.0, 0.25, 10min}));
  for (const std::string wrong : {"total = 0", "total = '0s'", "total = 'never'", "initial = '2s', max = '1s'"}) {
    EXPECT_EQ(
        parse_workflow("name='w'\n[[step]]\nid='s'\nagent='a'\nprompt='x'\nretry={" + wrong + "}\n", "w.toml", "").flow,
        nullptr)
        << wrong;
  }
}

}  // namespace
}  // namespace troupe::test
