// Asks the long-lived actors of a node from time to time whether they are there, and keeps what they said.
//
// Owns      the record of who answered when. Does not block.
// 1.        Each is asked every `every`, ahead of what waits in its mailbox: an answer says that it lives, not that it is
//           idle. At rest nothing else happens.
// 2.        One that does not answer within `limit` is reported, once, and once more when it answers again. One that is
//           being restarted is asked again until then.
// 3.        Vacuum is asked when it last succeeded; more than two periods ago is reported in the same way.
// Bounded   by one question to each under way.
// Dies of   a bug. Restarted by the supervisor of housekeeping; it begins with an empty record.
#pragma once

#include "actors/service.hpp"
#include "messages/base/time.hpp"
#include "messages/interfaces/health.hpp"
#include "messages/interfaces/vacuum.hpp"

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

struct long_lived {
  std::string name;
  std::function<caf::actor()> find;  ///< The life of this moment; null between two.
};

struct health_deps {
  std::vector<long_lived> actors;
  service<vacuum_actor> vacuum;  ///< May name nobody: vacuum is switched off.
  std::shared_ptr<const clock_port> clock;
  milliseconds every{10'000};
  milliseconds limit{5'000};
};

health_actor spawn_health(caf::actor_system& system, health_deps deps);

}  // namespace troupe
