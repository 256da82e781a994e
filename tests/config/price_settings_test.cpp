// [prices."MODEL"] and [budget]: what is read, exactly, and what is refused where.
#include "config/load.hpp"
#include "config/pin.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace troupe::test {
namespace {

constexpr const char* prices = R"(
[prices."gpt-4.1"]
input = 2
output = 8.5
[prices.gemini-flash]
input = 0.075
output = 0.3
[budget]
subject_usd = 12.345678
subject_tokens = 1000000
day_usd = 0.000001
day_time = "90m"
)";

TEST(PriceSettings, are_read_by_their_digits) {
  const auto loaded = load_config(sources_of(prices));
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_TRUE(loaded.problems.empty()) << joined(lines_of(loaded.problems));
  EXPECT_EQ(loaded.values->prices.at("gpt-4.1"), (token_price{{2'000'000}, {8'500'000}}));
  EXPECT_EQ(loaded.values->prices.at("gemini-flash"), (token_price{{75'000}, {300'000}}));
  EXPECT_EQ(loaded.values->budget.subject_usd.microusd, 12'345'678);
  EXPECT_EQ(loaded.values->budget.subject_tokens, 1'000'000);
  EXPECT_EQ(loaded.values->budget.day_usd.microusd, 1);
  EXPECT_EQ(loaded.values->budget.day_tokens, 0);
  EXPECT_EQ(loaded.values->budget.day_time, 90min);
  EXPECT_EQ(loaded.values->budget.subject_time, 0s);
}

TEST(PriceSettings, every_amount_survives_being_written_and_read) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::int64_t> amount{0, 1'000'000'000'000};
  std::uniform_int_distribution<std::int64_t> small{0, 10'000'000};
  auto values = *load_config(sources_of(prices)).values;
  for (int i = 0; i < 200; ++i) {
    values.prices["model " + std::to_string(i)] = {{amount(random)}, {small(random)}};
  }
  const auto again = load_config(sources_of(to_toml(values)));
  ASSERT_NE(again.values, nullptr) << joined(lines_of(again.problems));
  EXPECT_EQ(again.values->prices, values.prices);
  EXPECT_EQ(config_hash(*again.values), config_hash(values));
}

TEST(PriceSettings, layers_add_to_each_other) {
  auto sources = sources_of(prices);
  sources.assignments = {R"(prices."gpt-4.1".input=1.5)", "budget.day_tokens=7"};
  sources.environment["TROUPE_BUDGET__DAY_USD"] = "3";
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_EQ(loaded.values->prices.at("gpt-4.1"), (token_price{{1'500'000}, {8'500'000}}));
  EXPECT_EQ(loaded.values->budget.day_tokens, 7);
  EXPECT_EQ(loaded.values->budget.day_usd.microusd, 3'000'000);
}

TEST(PriceSettings, mistakes_are_told_with_their_place) {
  struct example {
    const char* text;
    const char* says;
  };
  for (const auto& each : {
           example{"[prices.m]\ninput = 1\n", "the price of 'm' has no 'output'"},
           example{"[prices.m]\ninput = -1\noutput = 1\n", "input"},
           example{"[prices.m]\ninput = 1000001\noutput = 1\n", "input"},
           example{"[prices.m]\ninput = 0.0000001\noutput = 1\n", "more than six decimal places"},
           example{"[prices.m]\ninput = '1'\noutput = 1\n", "input"},
           example{"[prices.m]\ninptu = 1\noutput = 1\n", "did you mean 'input'"},
           example{"[prices.gpt-4.1]\ninput = 1\noutput = 1\n", "'1'"},
           example{"[prices.\"\"]\ninput = 1\noutput = 1\n", "a model has a name"},
           example{"[prices]\nm = 3\n", "must be a table"},
           example{"prices = 3\n", "must be a table"},
           example{"[budget]\nday_usd = 1.2345678\n", "more than six decimal places"},
           example{"[budget]\nday_tokens = -1\n", "day_tokens"},
           example{"[budget]\nday = 1\n", "unknown key 'budget.day'"},
       }) {
    const auto loaded = load_config(sources_of(each.text));
    EXPECT_EQ(loaded.values, nullptr) << each.text;
    const auto told = joined(lines_of(loaded.problems));
    EXPECT_NE(told.find(each.says), std::string::npos) << each.text << told;
    EXPECT_FALSE(told.starts_with("0:")) << "without a place: " << each.text << told;
  }
}

}  // namespace
}  // namespace troupe::test
