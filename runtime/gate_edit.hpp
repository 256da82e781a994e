// Whether what a person changes with a decision is something that the run knows.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"
#include "messages/gate.hpp"
#include "messages/workflow.hpp"

#include <string_view>

namespace troupe {

class read_session;

/// `edit` is an object (RFC 7396) that is merged into `state`. A decision cannot be taken back, so that a slip must not
/// become a part of it. Pure.
/// INVALID_INPUT: a field that is neither declared nor in the state, and that no step writes (where a function of the
/// host may write any field, only one that is spelled nearly as a known one); or a value with which the field's reducer
/// cannot go on. The hint names the nearest field, or what is wanted.
status check_edit(const workflow& flow, std::string_view state, const json_text& edit);

/// The same for an open gate of `run`, with the workflow that the run is pinned to and the state that is committed. Of a
/// gate that is decided, and of a decision without an edit, nothing is wrong. Blocks for a read. Errors of reading, too.
status check_edit(read_session& stored, const run_id& run, const gate_place& place, const gate_decision& decision);

}  // namespace troupe
