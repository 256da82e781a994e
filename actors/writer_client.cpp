#include "actors/writer_client.hpp"

#include "actors/retry/backoff.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace troupe {

bool worth_asking_again(error_code code) noexcept {
  constexpr std::array passing{error_code::storage_full,
                               error_code::storage_busy,
                               error_code::storage_readonly,
                               error_code::storage_denied,
                               error_code::storage_unavailable,
                               error_code::backpressure};
  return std::ranges::find(passing, code) != passing.end();
}

std::optional<milliseconds> pause_before_telling_again(const retry_policy& retry,
                                                       const write_tries& so_far,
                                                       const error& why,
                                                       const write_command& what) noexcept {
  constexpr int unanswered_max = 8;
  if (so_far.unanswered >= unanswered_max || so_far.refused >= retry.max_attempts) {
    return std::nullopt;
  }
  if (so_far.refused == 0) {
    return milliseconds{10} * (1 << std::min(so_far.unanswered - 1, unanswered_max - 1));
  }
  const auto seed = std::hash<run_id>{}(run_of(what)) + static_cast<std::size_t>(so_far.refused);
  return std::max(computed_delay(retry, so_far.refused, seed), suggested_backoff(why));
}

}  // namespace troupe
