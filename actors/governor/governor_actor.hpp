// Says which attempt of all runs begins next: the limits of providers, the retry budget and fairness are here.
//
// Owns      the permits in use and the questions that wait (admission, the brain). Nothing durable: what providers have
//           let us use is read from the attempts' rows when it starts.
// 1.        Every question is answered once: with a permit, with why not, or with an error when this actor dies. Not
//           answered are those that were asked again or withdrawn.
// 2.        A run that dies has returned its permits, not counted, and withdrawn its questions.
// 3.        Nothing that counts against the use of a minute or of a day begins before that use has been read.
// 4.        One timer is armed, and only while a question waits for a time.
// Bounded   by the questions of live runs: max_concurrent for each. Does not block.
// Dies of   a bug. Restarted by the root supervisor: permanent. Permits of the dead one are not known to its successor:
//           until they have ended, more may run than concurrency allows.
#pragma once

#include "actors/governor/admission.hpp"
#include "actors/service.hpp"
#include "messages/base/time.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/governor.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

struct governor_deps {
  service<database_reader> reader;
  std::shared_ptr<const clock_port> clock;
  admission_rules rules;
};

governor spawn_governor(caf::actor_system& system, governor_deps deps);

}  // namespace troupe
