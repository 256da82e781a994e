// Runs that a step of another run carries out: they do not outlive it.
#pragma once

#include "messages/base/result.hpp"
#include "messages/writes.hpp"
#include "storage/run_change.hpp"

namespace troupe {

/// The run ends: what of its child runs has not is cancelled by the same commit, and theirs with them. Only children that
/// nobody carries out are left by then: those that wait for a person, or were paused with their parent.
status end_children(run_change& change);

/// The hash of the configuration that the run is pinned to: its parent's where it brings none of its own.
std::string pinned_config_of(statement_cache& sql, const create_run& told);

}  // namespace troupe
