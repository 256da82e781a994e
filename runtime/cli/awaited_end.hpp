// The end of a run that another process was asked for, as the rows tell it.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "messages/views.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the wait asks and does; each may block for a moment.
struct end_ports {
  std::function<bool()> has_owner;                      ///< Some process carries out runs in this database.
  std::function<result<run_view>()> look;               ///< The run, as its rows have it.
  std::function<std::vector<std::string>()> under_way;  ///< What of it is at work, for people; empty: not known.
  std::function<void()> ask_again;                      ///< For the end: who was asked may have died, or not listened.
  std::function<void(const std::string&)> tell;         ///< A line of progress.
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(milliseconds)> sleep;
};

/// The run with its end. None: nobody carries it out any more, and it has none. Looks ever less often, asks again every
/// three seconds, and tells what is waited for, ever less often too. A look that fails for a reason that may pass is made
/// again.
/// LEASE_HELD: it has not ended within `patience`; whoever carries it out has been asked, and goes on. Other errors: of
/// `look`.
std::optional<result<run_view>> await_end(const run_id& run, milliseconds patience, const end_ports& ports);

}  // namespace troupe
