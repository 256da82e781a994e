// Questions to the database reader, and the answers. Each is one short read transaction.
#pragma once

#include "messages/base/result.hpp"
#include "messages/views.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

struct run_query {
  run_id run;
};

/// The runs that are under way under this lease: those that the process of the lease has taken up, and not ended.
struct own_runs_query {
  lease_epoch epoch;
};

struct recovery_query {
  run_id run;
};

/// Events of a run after `since`, at most `limit`.
struct events_query {
  run_id run;
  event_seq since;
  std::int64_t limit = 256;
};

using run_answer = result<run_view>;
using own_runs_answer = result<std::vector<run_id>>;
using recovery_answer = result<recovery_view>;
using events_answer = result<event_batch_ptr>;

}  // namespace troupe
