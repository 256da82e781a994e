// Raw output of attempts, as bytes: in the row, or in a file that the row names.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <filesystem>
#include <optional>

namespace troupe {

/// The attempt's output and how its process ended; the task is validating.
status record(run_change& change, const record_output& told);

/// STORAGE_UNAVAILABLE where a file that the command is about to refer to is not there. Inside the transaction that will
/// refer to it: nobody removes a file meanwhile (storage/blobs.hpp).
status blobs_are_there(const std::filesystem::path& database, const write_command& command);

/// The file of a stream, from the columns of its digest and its bytes. None where the stream is in its row. Throws
/// damaged_row.
std::optional<blob_ref> blob_in(const prepared& row, int hash, int bytes);

}  // namespace troupe
