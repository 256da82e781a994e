// What a provider of models lets us do, and who may begin next: questions to the governor. None of this is durable; what
// has been used up is read from the attempts' rows.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>

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
  provider_name provider;  ///< Empty: only the limits of the node hold.
  int priority = 5;        ///< 0 to 9; 9 first.
  bool is_retry = false;   ///< Counts against the retry budget.
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

}  // namespace troupe
