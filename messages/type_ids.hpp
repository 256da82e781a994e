// The one list of message types. None of them leaves the process, so none is serialised: what must outlive the process
// is a row, and what must reach another program is JSON at a door.
#pragma once

#include "messages/blob.hpp"
#include "messages/control.hpp"
#include "messages/event.hpp"
#include "messages/health.hpp"
#include "messages/limits.hpp"
#include "messages/maintenance.hpp"
#include "messages/queries.hpp"
#include "messages/retry.hpp"
#include "messages/supervision.hpp"
#include "messages/writes.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::write_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::write_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::flush_writes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::checkpoint_log)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::log_checkpointed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::put_blobs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::put_blobs_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::later)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::own_runs_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::own_runs_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::recovery_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::recovery_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::events_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::events_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::event_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::task_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::start_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::start_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cancel_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::drain_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stop_attempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::task_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::task_unrecorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::child_moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::decide_gate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_stopped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::restart_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stop_overdue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::health_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::health_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_slice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::shrink_file)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::shrink_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::record_vacuum)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::record_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::maintenance_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::maintenance_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_now_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vacuum_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ask_permit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::permit_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::return_permit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::withdraw_permit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::await_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::came_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::forget_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::provider_use_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::provider_use_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::limits_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::limits_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::waits_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::waits_view)
