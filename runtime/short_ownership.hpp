// The database for as long as one command writes to it, without a node.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "storage/lease.hpp"
#include "storage/storage_options.hpp"
#include "storage/write_session.hpp"

#include <chrono>
#include <memory>
#include <thread>

namespace troupe {

/// What `take` gives, asked again for a second while another command has the lease: most are over in less.
template <class Take>
auto take_when_free(Take take) {
  constexpr std::chrono::seconds patience{1};
  constexpr milliseconds pause{20};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto taken = take();
  while (!taken && taken.error().code == error_code::lease_held && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(pause);
    taken = take();
  }
  return taken;
}

/// While it lives, nobody else writes.
struct short_ownership {
  lease held;
  std::unique_ptr<write_session> session;
  timestamp since;
};

/// Blocks on the disk. LEASE_HELD: a process carries out runs there, or writes for another reason; STORAGE_*.
result<short_ownership> own_shortly(const storage_options& storage);

/// One transaction of what `write` applies: committed where it is done, else taken back. Blocks on the disk.
template <class Write>
status write_at_once(write_session& session, Write write) {
  if (auto begun = session.begin(); !begun) {
    return begun;
  }
  if (auto written = write(); !written) {
    session.rollback();
    return written;
  }
  return session.commit();
}

}  // namespace troupe
