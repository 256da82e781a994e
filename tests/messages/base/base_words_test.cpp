#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/invariant.hpp"
#include "messages/base/result.hpp"
#include "messages/base/sha256.hpp"
#include "messages/base/time.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

namespace troupe {
namespace {

constexpr int error_codes = static_cast<int>(error_code::internal) + 1;

TEST(error_test, every_code_has_a_name_of_its_own_that_reads_back) {
  std::set<std::string_view> names;
  for (int i = 0; i < error_codes; ++i) {
    const auto code = static_cast<error_code>(i);
    const auto name = to_string(code);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), std::string_view::npos) << name;
    EXPECT_EQ(error_code_from(name), code) << name;
  }
  EXPECT_EQ(names.size(), 42U);
}

// contract.md, section 6, and STORAGE_READONLY, STORAGE_DENIED and STORAGE_UNAVAILABLE. Stored in rows: a name here that changes is a migration.
TEST(error_test, the_names_are_those_of_the_contract) {
  const std::vector<std::string_view> contract{"INVALID_WORKFLOW",
                                               "INVALID_CONFIG",
                                               "INVALID_INPUT",
                                               "NOT_FOUND",
                                               "DUPLICATE_ID",
                                               "NO_ROUTE",
                                               "NO_PROGRESS",
                                               "MAX_STEPS_EXCEEDED",
                                               "MAX_ATTEMPTS_EXCEEDED",
                                               "TASK_TIMEOUT",
                                               "RUN_TIMEOUT",
                                               "BUDGET_EXCEEDED",
                                               "CANCELLED",
                                               "BACKPRESSURE",
                                               "MERGE_CONFLICT",
                                               "IDEMPOTENCY_VIOLATION",
                                               "STALE_EPOCH",
                                               "LEASE_HELD",
                                               "REPLAY_MISMATCH",
                                               "QUORUM_NOT_MET",
                                               "CONSENSUS_CONFLICT",
                                               "AGENT_NOT_FOUND",
                                               "AGENT_EXIT",
                                               "AGENT_SIGNAL",
                                               "AGENT_NO_OUTPUT",
                                               "OUTPUT_INVALID",
                                               "OUTPUT_TOO_LARGE",
                                               "AUTH_REQUIRED",
                                               "RATE_LIMITED",
                                               "PROVIDER_UNAVAILABLE",
                                               "CIRCUIT_OPEN",
                                               "STORAGE_FULL",
                                               "STORAGE_CORRUPT",
                                               "STORAGE_BUSY",
                                               "STORAGE_NEWER",
                                               "STORAGE_READONLY",
                                               "STORAGE_DENIED",
                                               "STORAGE_UNAVAILABLE",
                                               "EVIDENCE_LIMIT",
                                               "UNKNOWN_MODEL",
                                               "INTERRUPTED",
                                               "INTERNAL"};
  for (const auto name : contract) {
    EXPECT_TRUE(error_code_from(name).has_value()) << name;
  }
  EXPECT_EQ(contract.size(), static_cast<std::size_t>(error_codes));
}

TEST(error_test, unknown_names_are_no_code) {
  for (const auto* name : {"", "no_route", "NO_ROUTE ", "NO ROUTE", "UNKNOWN"}) {
    EXPECT_EQ(error_code_from(name), std::nullopt) << name;
  }
}

TEST(result_test, holds_a_value_or_an_error) {
  result<int> good{7};
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(*good, 7);
  EXPECT_THROW(static_cast<void>(good.error()), std::bad_variant_access);
  const result<int> bad{error{error_code::not_found, "gone", ""}};
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error(), (error{error_code::not_found, "gone", ""}));
  EXPECT_THROW(static_cast<void>(*bad), std::bad_variant_access);
  EXPECT_TRUE(status{done});
}

TEST(invariant_test, throws_a_bug_that_names_the_place) {
  EXPECT_NO_THROW(invariant(true, "holds"));
  try {
    invariant(false, "never happens");
    FAIL();
  } catch (const bug& broken) {
    const std::string text = broken.what();
    EXPECT_NE(text.find("never happens"), std::string::npos);
    EXPECT_NE(text.find("base_words_test.cpp:"), std::string::npos);
  }
}

// FIPS 180-4 examples (NIST CSRC), and the lengths around a block's padding.
TEST(sha256_test, gives_the_published_digests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex({}), sha256_hex(""));
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256("abc")[0], 0xBAU);
  EXPECT_EQ(sha256("abc")[31], 0xADU);
}

TEST(sha256_test, gives_the_same_for_what_comes_in_pieces) {
  sha256_stream pieces;
  EXPECT_EQ(sha256_stream{}.finish(), sha256(""));
  for (const char* const piece : {"a", "", "bc"}) {
    pieces.add(piece);
  }
  EXPECT_EQ(pieces.finish(), sha256("abc"));
}

TEST(sha256_test, reads_back_its_own_hex_and_nothing_else) {
  const auto hex = sha256_hex("abc");
  EXPECT_EQ(digest_from_hex(hex), sha256("abc"));
  EXPECT_EQ(to_hex(sha256("abc")), hex);
  auto upper = hex;
  upper[0] = 'B';
  for (const auto& wrong :
       {std::string{}, hex.substr(1), hex + '0', upper, std::string(64, 'g'), std::string(64, '/')}) {
    EXPECT_EQ(digest_from_hex(wrong), std::nullopt) << wrong;
  }
}

TEST(ids_test, ids_of_different_kinds_do_not_mix) {
  EXPECT_FALSE((std::is_convertible_v<run_id, task_id>));
  EXPECT_FALSE((std::is_convertible_v<std::string, run_id>));
  EXPECT_FALSE((std::is_convertible_v<std::int64_t, attempt_no>));
  EXPECT_FALSE((std::is_constructible_v<superstep_no, attempt_no>));
}

TEST(ids_test, ids_compare_print_and_hash_by_what_they_hold) {
  EXPECT_EQ(run_id{"a"}, run_id{"a"});
  EXPECT_LT(run_id{"a"}, run_id{"b"});
  EXPECT_LT(attempt_no{2}, attempt_no{10});
  EXPECT_TRUE(run_id{}.empty());
  EXPECT_EQ(attempt_no{}.value(), 0);
  std::ostringstream out;
  out << step_id{"plan"} << ' ' << event_seq{17};
  EXPECT_EQ(out.str(), "plan 17");
  EXPECT_EQ((std::unordered_set<agent_name>{agent_name{"x"}, agent_name{"x"}, agent_name{"y"}}.size()), 2U);
  EXPECT_EQ((std::unordered_set<event_seq>{event_seq{1}, event_seq{1}}.size()), 1U);
}

TEST(ids_test, a_task_is_named_by_where_it_stands) {
  EXPECT_EQ(make_task_id(run_id{"r-1"}, superstep_no{12}, step_id{"plan"}, agent_name{"claude"}).str(),
            "r-1/12/plan/claude");
}

timestamp at_us(std::int64_t microseconds) { return timestamp{std::chrono::microseconds{microseconds}}; }

TEST(time_test, times_print_as_rfc_3339_with_microseconds) {
  EXPECT_EQ(to_rfc3339(at_us(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(at_us(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(at_us(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(at_us(1'795'244'592'000'125)), "2026-11-21T07:03:12.000125Z");
  EXPECT_EQ(to_rfc3339(at_us(951'782'400'000'000)), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(at_us(4'107'542'400'000'000)), "2100-03-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(at_us(253'402'300'799'999'999)), "9999-12-31T23:59:59.999999Z");
}

TEST(time_test, durations_are_whole_numbers_with_a_unit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("90d"), 90 * 24h);
  EXPECT_EQ(parse_duration("0s"), 0ms);
  EXPECT_EQ(parse_duration("36600d"), 36600 * 24h);
}

TEST(time_test, what_is_not_a_duration_is_refused) {
  for (const auto* text : {"",
                           "5",
                           "s",
                           "ms",
                           "-5s",
                           "+5s",
                           "-0s",
                           "1.5s",
                           "5 s",
                           " 5s",
                           "5s ",
                           "5S",
                           "5sec",
                           "1h30m",
                           "5w",
                           "0x5s",
                           "1e3s",
                           "36601d",
                           "9223372036854775807ms",
                           "9223372036854775808s",
                           "99999999999999999999d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_duration(std::string_view{}), std::nullopt);
}

TEST(time_test, durations_print_in_the_largest_unit_that_is_exact) {
  EXPECT_EQ(to_text(0ms), "0ms");
  EXPECT_EQ(to_text(250ms), "250ms");
  EXPECT_EQ(to_text(90s), "90s");
  EXPECT_EQ(to_text(60min), "1h");
  EXPECT_EQ(to_text(36h), "36h");
  EXPECT_EQ(to_text(48h), "2d");
  for (std::int64_t ms = 1; ms < 200'000'000'000; ms = ms * 3 + 7) {
    EXPECT_EQ(parse_duration(to_text(milliseconds{ms})), milliseconds{ms});
  }
}

TEST(time_test, times_of_day_are_two_digits_a_colon_and_two_digits) {
  EXPECT_EQ(parse_time_of_day("00:00"), time_of_day{0min});
  EXPECT_EQ(parse_time_of_day("03:30"), time_of_day{210min});
  EXPECT_EQ(parse_time_of_day("23:59"), time_of_day{1'439min});
  for (const char* text :
       {"", "3:30", "24:00", "23:60", "0330", "03:3", "03:300", "03-30", "-1:30", "03:-1", "ab:cd"}) {
    EXPECT_EQ(parse_time_of_day(text), std::nullopt) << text;
  }
  for (int minutes = 0; minutes < 1'440; ++minutes) {
    const time_of_day at{std::chrono::minutes{minutes}};
    EXPECT_EQ(parse_time_of_day(to_text(at)), at);
  }
}

}  // namespace
}  // namespace troupe
