#include "runtime/short_ownership.hpp"

#include "runtime/os/host.hpp"
#include "runtime/os/system_clock.hpp"

#include <utility>

namespace troupe {

result<short_ownership> own_shortly(const storage_options& storage) {
  const auto now = system_clock{}.now();
  auto taken = lease::acquire(storage, {own_pid(), host_name(), now});
  if (!taken) {
    return taken.error();
  }
  auto session = write_session::open(storage, taken->epoch());
  if (!session) {
    return session.error();
  }
  return short_ownership{*std::move(taken), *std::move(session), now};
}

}  // namespace troupe
