#pragma once

namespace troupe {

/// Makes the calling thread one of ours: named, for people who look at it, and with every signal blocked, so that the
/// host's handlers run on the host's threads, and a write to a peer that has gone is an error and no SIGPIPE.
/// `name` has at most 15 characters.
void become_worker_thread(const char* name) noexcept;

}  // namespace troupe
