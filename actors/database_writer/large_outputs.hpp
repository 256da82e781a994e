// Which outputs become files before their command is written. Plain functions of the command.
#pragma once

#include "messages/blob.hpp"
#include "messages/writes.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace troupe {

/// The streams of a record_output that are larger than `inline_limit` bytes. None where there is nothing to put: another
/// command, or streams that all fit into the row.
std::optional<put_blobs> streams_above(const write_command& command, std::size_t inline_limit);

/// The same record_output, which now says where its streams are. The bytes are shared, not copied.
std::shared_ptr<const write_command> with_blobs(const write_command& command, const output_blobs& blobs);

}  // namespace troupe
