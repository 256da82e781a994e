// How many attempts after a failed one may be under way at a time: the brain of RT-6.
#pragma once

#include <algorithm>

namespace troupe {

/// A tenth of what runs, and three in any case: a storm of failures does not become a storm of retries.
constexpr int retries_allowed(int running) noexcept { return std::max(3, running / 10); }

}  // namespace troupe
