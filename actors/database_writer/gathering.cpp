#include "actors/database_writer/gathering.hpp"

namespace troupe {

bool gathering::pauses(duration now) noexcept {
  const bool company = answered_ > 1 && now - ended_ < silence_from * took_;
  if (has_paused_ || !company || took_ < worth * pause_) {
    return false;
  }
  has_paused_ = true;
  return true;
}

void gathering::committed(std::size_t answered, duration took, duration now) noexcept {
  answered_ = answered;
  took_ = took;
  ended_ = now;
  has_paused_ = false;
}

}  // namespace troupe
