#include "actors/log_place.hpp"

namespace troupe {
namespace {

thread_local const log_place* current = nullptr;

}  // namespace

logging_at::logging_at(const log_place& place) noexcept : before_(std::exchange(current, &place)) {}

logging_at::~logging_at() { current = before_; }

const log_place* current_log_place() noexcept { return current; }

}  // namespace troupe
