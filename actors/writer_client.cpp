#include "actors/writer_client.hpp"

namespace troupe {

bool worth_asking_again(error_code code) noexcept {
  return code == error_code::storage_full || code == error_code::storage_busy ||
         code == error_code::storage_unavailable || code == error_code::backpressure;
}

}  // namespace troupe
