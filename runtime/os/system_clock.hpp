#pragma once

#include "messages/base/time.hpp"

#include <chrono>

namespace troupe {

/// The time of day of the machine. It may be set back or forth by its owner: for rows and people, never for durations.
class system_clock final : public clock_port {
 public:
  timestamp now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace troupe
