// What a provider of models lets us do, and who may begin next: questions to the governor. None of this is durable; what
// has been used up is read from the attempts' rows.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "messages/retry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

using permit_id = number_id<struct permit_id_tag>;  ///< Of one governor, never reused.

/// Tokens that an attempt is expected to use; reserved until the provider says what it was.
struct token_estimate {
  std::int64_t input = 0;
  std::int64_t output = 0;
};

/// From a run to the governor, before each attempt: may it begin? Answered when it may; with an error when that is known
/// to be long from now, with the time until then in `retry_after`: CIRCUIT_OPEN or RATE_LIMITED. Asking again for the
/// same attempt replaces the former question, which is not answered.
struct ask_permit {
  run_id run;
  task_id task;
  attempt_no attempt;
  provider_name provider;                  ///< Empty: only the limits of the node hold.
  int priority = 5;                        ///< 0 to 9; 9 first.
  bool is_retry = false;                   ///< Counts against the retry budget.
  std::optional<error_class> failed_as{};  ///< is_retry: of the attempt before it.
  token_estimate estimate;
};

struct permit {
  permit_id id;
};

using permit_reply = result<permit>;

/// How the attempt under a permit went, as far as its provider is concerned.
enum class permit_end {
  succeeded,
  failed,        ///< Counts for the breaker: an error of the provider, or a time-out.
  rate_limited,  ///< The provider refused before it worked.
  not_counted,   ///< Cancelled, interrupted, or never begun.
};

/// From a run to the governor: the attempt has ended, its process is gone.
struct return_permit {
  permit_id id;
  permit_end how = permit_end::succeeded;
  std::optional<token_estimate> used;       ///< None: what was estimated stays counted.
  std::optional<milliseconds> retry_after;  ///< rate_limited: what the provider said.
};

/// From a run to the governor: the attempt need not begin any more. Its question is not answered.
struct withdraw_permit {
  task_id task;
  attempt_no attempt;
};

/// To the database reader: what the attempts since then have used up of these providers.
struct provider_use_query {
  std::vector<provider_name> providers;
  timestamp minute_from;  ///< Attempts that began since are listed one by one.
  timestamp day_from;     ///< Attempts that began since are counted.
};

struct attempt_use {
  timestamp started_at;
  token_estimate tokens;  ///< What was used; where that is not known, what was expected.
};

struct provider_use {
  provider_name provider;
  std::int64_t requests_today = 0;
  std::vector<attempt_use> last_minute;  ///< By time.
};

/// One for each provider of the question, in its order.
using provider_use_answer = result<std::vector<provider_use>>;

/// To the governor, for people and metrics.
struct limits_query {};

enum class breaker_state { closed, open, half_open };

/// Of one limit. `limit` 0: there is none.
struct limit_view {
  std::int64_t used = 0;
  std::int64_t limit = 0;
};

struct provider_view {
  provider_name provider;
  int running = 0;
  std::int64_t waiting = 0;
  int concurrency = 0;     ///< Allowed now; 0: no limit.
  int max_concurrent = 0;  ///< As configured.
  limit_view requests_per_minute;
  limit_view input_tokens_per_minute;
  limit_view output_tokens_per_minute;
  limit_view requests_per_day;
  breaker_state breaker = breaker_state::closed;
  std::optional<timestamp> closed_until;  ///< Nothing begins before: the breaker, Retry-After or the day's quota.
  std::int64_t granted = 0;               ///< All counts are since the governor started.
  std::int64_t rejected = 0;              ///< Answered with an error.
  std::int64_t rate_limited = 0;          ///< Attempts that the provider refused.
};

/// Attempts after a failed one that were let go, by its class.
struct retry_counts {
  std::int64_t retryable = 0;
  std::int64_t permanent = 0;  ///< Always 0: RT-3.
  std::int64_t degraded = 0;
  std::int64_t unknown = 0;
};

struct limits_view {
  int running = 0;
  int attempts_max = 0;
  std::int64_t waiting = 0;
  int retries_running = 0;
  int retries_max = 0;  ///< The retry budget at this moment.
  retry_counts retries;
  std::vector<provider_view> providers;  ///< By name; those that are configured or were asked for.
};

/// To the retry scheduler, for people and metrics.
struct waits_query {};

/// A task that waits for its next attempt, or a run that waits for a quota.
struct wait_view {
  run_id run;
  std::string key;  ///< As in await_due.
  timestamp due;
};

struct waits_view {
  static constexpr std::size_t listed_max = 100;

  std::int64_t waiting = 0;
  std::vector<wait_view> next;  ///< The earliest of them, by time: listed_max at most.
};

/// What a node lets begin, and who waits for a time: asked one after the other, so nearly of one moment.
struct node_limits {
  limits_view allowed;
  waits_view waits;
};

}  // namespace troupe
