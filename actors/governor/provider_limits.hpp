// What one provider lets us do at this moment: the brain of RT-4 and RT-5 for it.
#pragma once

#include "actors/governor/circuit_breaker.hpp"
#include "actors/governor/moment.hpp"
#include "actors/governor/refusal_pace.hpp"
#include "actors/governor/use_window.hpp"
#include "messages/base/error.hpp"
#include "messages/limits.hpp"
#include "messages/provider.hpp"

#include <optional>
#include <variant>

namespace troupe {

/// Invariants (each with a test of that number):
///   1. What is long from now is refused with the time until then: the breaker is open, the day's quota is used up, or
///      the provider wants to be left alone for more than wait_max. Anything shorter waits.
///   2. A limit of a minute or a day lets nothing through before what was used of it has been read.
///   3. The day's quota begins anew at midnight UTC, and a clock that is set back does not begin it twice.
class provider_limits {
 public:
  static constexpr milliseconds wait_max{60'000};

  struct go {};

  /// None: until another attempt ends, or until the rows have been read.
  struct wait {
    std::optional<instant> until;
  };

  /// CIRCUIT_OPEN or RATE_LIMITED, with retry_after: so for every attempt.
  struct refuse {
    error why;
  };

  using verdict = std::variant<go, wait, refuse>;

  /// What is kept of an attempt under way.
  struct started {
    circuit_breaker::ticket breaker;
    refusal_pace::ticket pace;
    use_window::place place;
    token_estimate expected;
    instant at;
    std::chrono::sys_days day;
  };

  explicit provider_limits(const provider_spec& spec);

  /// True where nothing may begin before restore().
  bool needs_rows() const noexcept;
  void restore(const provider_use& use, moment now);

  verdict look(const token_estimate& wanted, moment now);

  /// Why nothing begins for long, if so: what look() would refuse with, whatever is wanted.
  std::optional<error> refusal(moment now);

  /// Only after look() said go, at the same moment.
  started begin(const token_estimate& wanted, moment now);
  void end(const started& attempt, const return_permit& how, moment now);

  int running() const noexcept { return pace_.running(); }

  /// Without the counts of questions.
  provider_view view(moment now);

 private:
  void begin_day(moment now);
  std::optional<error> long_from_now(moment now) const;

  provider_spec spec_;
  circuit_breaker breaker_;
  refusal_pace pace_;
  use_window window_;
  std::chrono::sys_days day_{};
  std::int64_t requests_today_ = 0;
  bool is_restored_ = false;
  std::int64_t granted_ = 0;
  std::int64_t rate_limited_ = 0;
};

}  // namespace troupe
