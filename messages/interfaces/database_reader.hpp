#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Reads committed rows. Never waits for the writer, and never makes it wait.
using database_reader = caf::typed_actor<  //
    caf::replies_to<run_query>::with<run_answer>,
    caf::replies_to<own_runs_query>::with<own_runs_answer>,
    caf::replies_to<recovery_query>::with<recovery_answer>,
    caf::replies_to<events_query>::with<events_answer>,
    caf::replies_to<maintenance_query>::with<maintenance_answer>,
    caf::replies_to<provider_use_query>::with<provider_use_answer>>;

}  // namespace troupe
