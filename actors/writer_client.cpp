#include "actors/writer_client.hpp"

#include <algorithm>
#include <array>

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

}  // namespace troupe
