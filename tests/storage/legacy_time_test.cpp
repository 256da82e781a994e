#include "storage/legacy_time.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace troupe {
namespace {

std::string read(const legacy_value& value) {
  const auto at = parse_legacy_time(value);
  return at ? to_rfc3339(*at) : "nothing";
}

TEST(legacy_time, reads_seconds_and_milliseconds) {
  const std::string at = "2025-10-18T12:34:56.000000Z";
  const std::string later = "2025-10-18T12:34:56.789000Z";
  EXPECT_EQ(read(std::int64_t{1'760'790'896}), at);
  EXPECT_EQ(read(std::int64_t{1'760'790'896'000}), at);
  EXPECT_EQ(read(std::int64_t{1'760'790'896'789}), later);
  EXPECT_EQ(read(std::string{"1760790896"}), at);
  EXPECT_EQ(read(std::string{" 1760790896789 \n"}), later);
  EXPECT_EQ(read(std::string{"1760790896.789"}), later);
  EXPECT_EQ(read(1'760'790'896.0), at);
  EXPECT_EQ(read(1'760'790'896.789), later);
  EXPECT_EQ(read(1'760'790'896'789.0), later);
  EXPECT_EQ(read(legacy_blob{"1760790896"}), at);
}

TEST(legacy_time, reads_dates_in_each_form) {
  const std::string at = "2025-10-18T12:34:56.000000Z";
  for (const char* const text : {"2025-10-18 12:34:56",
                                 "2025-10-18T12:34:56",
                                 "2025-10-18T12:34:56Z",
                                 "2025-10-18t12:34:56z",
                                 "2025-10-18 12:34:56 UTC",
                                 "2025-10-18T14:34:56+02:00",
                                 "2025-10-18T14:34:56+0200",
                                 "2025-10-18T14:34:56 +02",
                                 "2025-10-18T07:04:56-05:30",
                                 "2025-10-18T12:34:56.0Z",
                                 "  2025-10-18 12:34:56\n"}) {
    EXPECT_EQ(read(std::string{text}), at) << text;
  }
  EXPECT_EQ(read(std::string{"2025-10-18 12:34"}), "2025-10-18T12:34:00.000000Z");
  EXPECT_EQ(read(std::string{"2025-10-18T12:34:56.789123456Z"}), "2025-10-18T12:34:56.789123Z");
  EXPECT_EQ(read(std::string{"2025-10-18T12:34:56,5"}), "2025-10-18T12:34:56.500000Z");
  EXPECT_EQ(read(std::string{"2024-02-29 00:00:00"}), "2024-02-29T00:00:00.000000Z");
  EXPECT_EQ(read(std::string{"2025-01-01T00:30:00+01:00"}), "2024-12-31T23:30:00.000000Z");
}

TEST(legacy_time, believes_only_this_century) {
  EXPECT_EQ(read(std::int64_t{946'684'800}), "2000-01-01T00:00:00.000000Z");
  EXPECT_EQ(read(std::int64_t{946'684'799}), "nothing");
  EXPECT_EQ(read(std::int64_t{4'102'444'799}), "2099-12-31T23:59:59.000000Z");
  EXPECT_EQ(read(std::int64_t{4'102'444'800}), "nothing");
  EXPECT_EQ(read(std::int64_t{946'684'800'000}), "2000-01-01T00:00:00.000000Z");
  EXPECT_EQ(read(std::int64_t{946'684'799'999}), "nothing");
  EXPECT_EQ(read(std::int64_t{4'102'444'799'999}), "2099-12-31T23:59:59.999000Z");
  EXPECT_EQ(read(std::int64_t{4'102'444'800'000}), "nothing");
  EXPECT_EQ(read(std::string{"1999-12-31 23:59:59"}), "nothing");
  EXPECT_EQ(read(std::string{"2100-01-01 00:00:00"}), "nothing");
}

TEST(legacy_time, takes_nothing_else_for_a_time) {
  using limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{42}, limits::max(), limits::min()}) {
    EXPECT_EQ(read(number), "nothing") << number;
  }
  using reals = std::numeric_limits<double>;
  for (const double number :
       {0.0, -1e9, 2'460'000.5, 1e300, reals::infinity(), -reals::infinity(), reals::quiet_NaN()}) {
    EXPECT_EQ(read(number), "nothing") << number;
  }
  for (const char* const text : {"",
                                 " ",
                                 "now",
                                 "yesterday",
                                 "2025-10-18",
                                 "2025-13-18 12:34:56",
                                 "2025-02-29 12:34:56",
                                 "2025-10-32 12:34:56",
                                 "2025-10-18 24:00:00",
                                 "2025-10-18 12:60:00",
                                 "2025-10-18 12:34:60",
                                 "2025-10-18 12:34:56.",
                                 "2025-10-18 12:34:56 CET",
                                 "2025-10-18 12:34:56+",
                                 "2025-10-18 12:34:56+2",
                                 "2025-10-18 12:34:56+25:00",
                                 "2025-10-18 12:34:56Zulu",
                                 "18.10.2025 12:34:56",
                                 "1760790896 s",
                                 "1.76e9",
                                 "0x68F37AB0",
                                 "1760790896000000000"}) {
    EXPECT_EQ(read(std::string{text}), "nothing") << text;
  }
  EXPECT_EQ(read(std::string("2025-10-18 12:34:56\0", 20)), "nothing");
}

TEST(legacy_time, reads_back_what_it_would_write_and_survives_anything) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int n = 0; n < 20'000; ++n) {
    const auto us = std::uniform_int_distribution<std::int64_t>{946'684'800'000'000, 4'102'444'799'999'999}(random);
    const timestamp at{std::chrono::microseconds{us}};
    auto text = to_rfc3339(at);
    ASSERT_EQ(parse_legacy_time(text), at) << text;
    text[random() % text.size()] = static_cast<char>(random());
    static_cast<void>(parse_legacy_time(text));
    text.resize(random() % (text.size() + 1));
    static_cast<void>(parse_legacy_time(text));
  }
}

}  // namespace
}  // namespace troupe
