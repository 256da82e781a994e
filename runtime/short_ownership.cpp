#include "runtime/short_ownership.hpp"

#include "runtime/os/host.hpp"
#include "runtime/os/system_clock.hpp"

#include <utility>

namespace troupe {

result<short_ownership> own_shortly(const storage_options& storage) {
  const system_clock clock;
  auto taken = take_when_free([&] { return lease::acquire(storage, {own_pid(), host_name(), clock.now()}); });
  if (!taken) {
    return taken.error();
  }
  auto session = write_session::open(storage, taken->epoch());
  if (!session) {
    return session.error();
  }
  return short_ownership{*std::move(taken), *std::move(session), clock.now()};
}

}  // namespace troupe
