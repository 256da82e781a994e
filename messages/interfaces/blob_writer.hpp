#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Makes files of large outputs, for the database writer. Answers when they are on disk; see messages/blob.hpp.
using blob_writer = caf::typed_actor<caf::replies_to<put_blobs>::with<put_blobs_reply>>;

}  // namespace troupe
