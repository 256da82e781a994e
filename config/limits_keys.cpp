// The tables of limits and retries. A new key is a member in messages/provider.hpp or messages/retry_policy.hpp, with its
// default, and a line here.
#include "config/setting_codec.hpp"

namespace troupe {
namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t many = 1'000'000'000'000;

constexpr std::array provider_table{
    make_setting_key<provider_spec, &provider_spec::max_concurrent>(
        {.name = "max_concurrent",
         .range = {0, 10'000},
         .doc = "Attempts at this provider that may be under way at one time; 0 is no limit, as in all these."}),
    make_setting_key<provider_spec, &provider_spec::requests_per_minute>(
        {.name = "requests_per_minute", .range = {0, many}, .doc = "Attempts that may begin within a minute."}),
    make_setting_key<provider_spec, &provider_spec::input_tokens_per_minute>(
        {.name = "input_tokens_per_minute",
         .range = {0, many},
         .doc = "Tokens of prompts within a minute: what is expected is reserved, what was used is counted."}),
    make_setting_key<provider_spec, &provider_spec::output_tokens_per_minute>(
        {.name = "output_tokens_per_minute", .range = {0, many}, .doc = "Tokens of answers within a minute."}),
    make_setting_key<provider_spec, &provider_spec::requests_per_day>(
        {.name = "requests_per_day",
         .range = {0, many},
         .doc = "Attempts that may begin within a day (UTC); runs that have used them up wait for the next one."}),
    make_setting_key<provider_spec, &provider_spec::breaker>(
        {.name = "breaker", .doc = "When the provider is asked no more for a while, since too many calls fail."}),
};

constexpr std::array breaker_table{
    make_setting_key<breaker_spec, &breaker_spec::window>(
        {.name = "window", .range = {1, 10'000}, .doc = "How many of the last outcomes are looked at."}),
    make_setting_key<breaker_spec, &breaker_spec::min_calls>(
        {.name = "min_calls",
         .range = {1, 10'000},
         .doc = "Fewer outcomes than this say nothing; no more than window."}),
    make_setting_key<breaker_spec, &breaker_spec::failure_rate>(
        {.name = "failure_rate", .numbers = {0.01, 1}, .doc = "The part of failures among them at which calls stop."}),
    make_setting_key<breaker_spec, &breaker_spec::consecutive>(
        {.name = "consecutive",
         .range = {0, 10'000},
         .doc = "So many failures in a row stop calls as well; 0 is never."}),
    make_setting_key<breaker_spec, &breaker_spec::open_for>(
        {.name = "open_for", .range = {1, day}, .doc = "For how long; then one call is let through, and decides."}),
};

constexpr std::array retry_table{
    make_setting_key<retry_policy, &retry_policy::max_attempts>(
        {.name = "max_attempts", .range = {1, 100}, .doc = "Calls in all; 1 is no retry."}),
    make_setting_key<retry_policy, &retry_policy::initial>(
        {.name = "initial", .range = {0, day}, .doc = "The pause before the second call."}),
    make_setting_key<retry_policy, &retry_policy::max>(
        {.name = "max", .range = {0, day}, .doc = "The longest pause; no shorter than initial."}),
    make_setting_key<retry_policy, &retry_policy::multiplier>(
        {.name = "multiplier", .numbers = {1, 100}, .doc = "How much longer each pause is than the one before."}),
    make_setting_key<retry_policy, &retry_policy::jitter>(
        {.name = "jitter", .doc = "The part of a pause over which it is spread, half of it up and half of it down."}),
    make_setting_key<retry_policy, &retry_policy::total>(
        {.name = "total",
         .range = {1, 365 * day},
         .doc = "No call begins later than this after the first one, or \"off\"."}),
};

}  // namespace

std::span<const setting_key<provider_spec>> provider_keys() noexcept { return provider_table; }

std::span<const setting_key<breaker_spec>> breaker_keys() noexcept { return breaker_table; }

std::span<const setting_key<retry_policy>> retry_keys() noexcept { return retry_table; }

}  // namespace troupe
