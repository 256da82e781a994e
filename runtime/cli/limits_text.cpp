#include "runtime/cli/limits_text.hpp"

#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/limits_json.hpp"

namespace troupe {
namespace {

// Nothing where nobody limits it, however much of it is used.
std::string used_of(const limit_view& limit) {
  return limit.limit == 0 ? std::string{} : std::to_string(limit.used) + " of " + std::to_string(limit.limit);
}

std::string concurrency_of(const provider_view& each) {
  if (each.concurrency == 0) {
    return {};
  }
  const auto now = std::to_string(each.concurrency);
  return each.concurrency == each.max_concurrent || each.max_concurrent == 0
             ? now
             : now + " of " + std::to_string(each.max_concurrent);
}

std::string breaker_of(const provider_view& each, timestamp now, const style& look) {
  const auto name = std::string{to_string(each.breaker)};
  const auto until = each.closed_until ? ", asked again in " + human_duration(*each.closed_until - now) : std::string{};
  switch (each.breaker) {
    case breaker_state::closed:
      return each.closed_until ? look.paint(ink::yellow, name + until) : look.paint(ink::green, name);
    case breaker_state::open:
      return look.paint(ink::red, name + until);
    case breaker_state::half_open:
      return look.paint(ink::yellow, "half open" + until);
  }
  return {};
}

std::string node_text(const limits_view& all) {
  const auto& counts = all.retries;
  return "attempts  " + std::to_string(all.running) + " of " + std::to_string(all.attempts_max) + " run, " +
         std::to_string(all.waiting) + " wait\n" + "retries   " + std::to_string(all.retries_running) + " of " +
         std::to_string(all.retries_max) + " run; begun so far: " + std::to_string(counts.retryable) + " retryable, " +
         std::to_string(counts.unknown) + " unknown, " + std::to_string(counts.degraded) + " degraded, " +
         std::to_string(counts.permanent) + " permanent\n";
}

std::string providers_text(const std::vector<provider_view>& all, timestamp now, int width, const style& look) {
  table rows{{{.title = "PROVIDER", .right = false, .shrinks = true},
              {.title = "RUN", .right = true, .shrinks = false},
              {.title = "WAIT", .right = true, .shrinks = false},
              {.title = "AT ONCE", .right = true, .shrinks = false},
              {.title = "REQUESTS/MIN", .right = true, .shrinks = false},
              {.title = "INPUT/MIN", .right = true, .shrinks = false},
              {.title = "OUTPUT/MIN", .right = true, .shrinks = false},
              {.title = "REQUESTS/DAY", .right = true, .shrinks = false},
              {.title = "REFUSED", .right = true, .shrinks = false},
              {.title = "BREAKER", .right = false, .shrinks = true}}};
  for (const auto& each : all) {
    rows.add({printable(each.provider.str()),
              std::to_string(each.running),
              std::to_string(each.waiting),
              concurrency_of(each),
              used_of(each.requests_per_minute),
              used_of(each.input_tokens_per_minute),
              used_of(each.output_tokens_per_minute),
              used_of(each.requests_per_day),
              std::to_string(each.rate_limited),
              breaker_of(each, now, look)});
  }
  return rows.text(width, look);
}

std::string waits_text(const waits_view& waits, timestamp now, int width, const style& look) {
  table rows{{{.title = "DUE", .right = false, .shrinks = false},
              {.title = "IN", .right = true, .shrinks = false},
              {.title = "RUN", .right = false, .shrinks = true},
              {.title = "WAITS", .right = false, .shrinks = true}}};
  for (const auto& each : waits.next) {
    const auto left = each.due > now ? each.due - now : std::chrono::microseconds{0};
    rows.add({local_time_near(each.due, now), human_duration(left), printable(each.run.str()), printable(each.key)});
  }
  const auto listed = static_cast<std::int64_t>(waits.next.size());
  const auto more = waits.waiting - listed;
  return rows.text(width, look) + (more > 0 ? "and " + std::to_string(more) + " later\n" : std::string{});
}

}  // namespace

std::string limits_text(const node_limits& limits, timestamp now, int width, const style& look) {
  auto text = node_text(limits.allowed);
  if (!limits.allowed.providers.empty()) {
    text += '\n' + providers_text(limits.allowed.providers, now, width, look);
  }
  if (!limits.waits.next.empty()) {
    text += '\n' + waits_text(limits.waits, now, width, look);
  }
  return text;
}

}  // namespace troupe
