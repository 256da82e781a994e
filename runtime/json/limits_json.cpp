#include "runtime/json/limits_json.hpp"

#include "runtime/json/json_writer.hpp"
#include "runtime/json/members.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<breaker_state, std::string_view>, 3> names{
    {{breaker_state::closed, "closed"}, {breaker_state::open, "open"}, {breaker_state::half_open, "half_open"}}};

// Each by its name, for writing and for reading.
constexpr std::array<std::pair<std::string_view, limit_view provider_view::*>, 4> limits_of_provider{
    {{"requests_per_minute", &provider_view::requests_per_minute},
     {"input_tokens_per_minute", &provider_view::input_tokens_per_minute},
     {"output_tokens_per_minute", &provider_view::output_tokens_per_minute},
     {"requests_per_day", &provider_view::requests_per_day}}};

constexpr std::array<std::pair<std::string_view, std::int64_t retry_counts::*>, 4> classes{
    {{"retryable", &retry_counts::retryable},
     {"permanent", &retry_counts::permanent},
     {"degraded", &retry_counts::degraded},
     {"unknown", &retry_counts::unknown}}};

std::optional<std::int64_t> unless_zero(std::int64_t number) {
  return number == 0 ? std::nullopt : std::optional{number};
}

breaker_state breaker_in(const boost::json::object& from) {
  const auto name = text_in(from, "breaker");
  const auto* const found = std::ranges::find(names, name, &decltype(names)::value_type::second);
  return found == names.end() ? breaker_state::closed : found->first;
}

std::string retries_json(const limits_view& all) {
  object_writer begun;
  for (const auto& [name, count] : classes) {
    begun.number(name, all.retries.*count);
  }
  return object_writer{}
      .number("running", all.retries_running)
      .number("max", all.retries_max)
      .raw("begun", begun.str())
      .str();
}

std::string provider_json(const provider_view& each) {
  object_writer object;
  object.text("provider", each.provider.str()).number("running", each.running).number("waiting", each.waiting);
  object.number_or_null("concurrency", unless_zero(each.concurrency));
  object.number_or_null("max_concurrent", unless_zero(each.max_concurrent));
  for (const auto& [name, member] : limits_of_provider) {
    const limit_view& limit = each.*member;
    object.raw(name,
               object_writer{}.number("used", limit.used).number_or_null("limit", unless_zero(limit.limit)).str());
  }
  object.text("breaker", to_string(each.breaker)).time("closed_until", each.closed_until);
  object.number("granted", each.granted).number("rejected", each.rejected).number("rate_limited", each.rate_limited);
  return object.str();
}

std::string waits_json(const waits_view& waits) {
  list_writer next;
  for (const auto& each : waits.next) {
    next.raw(object_writer{}.text("run", each.run.str()).text("key", each.key).time("due", each.due).str());
  }
  return object_writer{}.number("waiting", waits.waiting).raw("next", next.str()).str();
}

provider_view provider_in(const boost::json::object& from) {
  provider_view each;
  each.provider = provider_name{text_in(from, "provider")};
  each.running = static_cast<int>(number_in(from, "running"));
  each.waiting = number_in(from, "waiting");
  each.concurrency = static_cast<int>(number_in(from, "concurrency"));
  each.max_concurrent = static_cast<int>(number_in(from, "max_concurrent"));
  for (const auto& [name, member] : limits_of_provider) {
    if (const auto* const limit = object_in(from, name)) {
      each.*member = {number_in(*limit, "used"), number_in(*limit, "limit")};
    }
  }
  each.breaker = breaker_in(from);
  each.closed_until = time_in(from, "closed_until");
  each.granted = number_in(from, "granted");
  each.rejected = number_in(from, "rejected");
  each.rate_limited = number_in(from, "rate_limited");
  return each;
}

void read_retries(const boost::json::object& from, limits_view& into) {
  const auto* const retries = object_in(from, "retries");
  if (retries == nullptr) {
    return;
  }
  into.retries_running = static_cast<int>(number_in(*retries, "running"));
  into.retries_max = static_cast<int>(number_in(*retries, "max"));
  if (const auto* const begun = object_in(*retries, "begun")) {
    for (const auto& [name, count] : classes) {
      into.retries.*count = number_in(*begun, name);
    }
  }
}

}  // namespace

std::string_view to_string(breaker_state what) noexcept {
  return std::ranges::find(names, what, &decltype(names)::value_type::first)->second;
}

std::string limits_json(const node_limits& limits, std::int64_t pid) {
  const auto& allowed = limits.allowed;
  list_writer providers;
  for (const auto& each : allowed.providers) {
    providers.raw(provider_json(each));
  }
  return object_writer{}
      .number("pid", pid)
      .number("running", allowed.running)
      .number("attempts_max", allowed.attempts_max)
      .number("waiting", allowed.waiting)
      .raw("retries", retries_json(allowed))
      .raw("providers", providers.str())
      .raw("waits", waits_json(limits.waits))
      .str();
}

std::string faults_json(std::span<const fault_view> faults, std::int64_t pid) {
  list_writer list;
  for (const auto& each : faults) {
    list.raw(object_writer{}
                 .text("name", each.name)
                 .number_or_null("count", unless_zero(each.count))
                 .number_or_null("percent", unless_zero(each.percent))
                 .number("used", each.used)
                 .str());
  }
  return object_writer{}.number("pid", pid).raw("faults", list.str()).str();
}

result<told_limits> read_limits(std::string_view json) {
  const auto object = object_of(json, "attempts_max");
  if (!object) {
    return object.error();
  }
  told_limits told;
  told.pid = number_in(*object, "pid");
  auto& allowed = told.limits.allowed;
  allowed.running = static_cast<int>(number_in(*object, "running"));
  allowed.attempts_max = static_cast<int>(number_in(*object, "attempts_max"));
  allowed.waiting = number_in(*object, "waiting");
  read_retries(*object, allowed);
  for_each_in(
      *object, "providers", [&](const boost::json::object& each) { allowed.providers.push_back(provider_in(each)); });
  if (const auto* const waits = object_in(*object, "waits")) {
    told.limits.waits.waiting = number_in(*waits, "waiting");
    for_each_in(*waits, "next", [&](const boost::json::object& each) {
      told.limits.waits.next.push_back(
          {run_id{text_in(each, "run")}, text_in(each, "key"), time_in(each, "due").value_or(timestamp{})});
    });
  }
  return told;
}

result<told_faults> read_faults(std::string_view json) {
  const auto object = object_of(json, "faults");
  if (!object) {
    return object.error();
  }
  told_faults told;
  told.pid = number_in(*object, "pid");
  for_each_in(*object, "faults", [&](const boost::json::object& each) {
    told.faults.push_back({text_in(each, "name"),
                           number_in(each, "count"),
                           static_cast<int>(number_in(each, "percent")),
                           number_in(each, "used")});
  });
  return told;
}

}  // namespace troupe
