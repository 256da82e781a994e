#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// The one actor that writes. Answers each request after the commit that holds it; see messages/writes.hpp.
using database_writer = caf::typed_actor<  //
    caf::replies_to<write_request>::with<write_reply>,
    // maintenance, from vacuum
    caf::replies_to<vacuum_slice>::with<vacuum_answer>,
    caf::replies_to<shrink_file>::with<shrink_answer>,
    caf::replies_to<record_vacuum>::with<record_answer>,
    // to itself
    caf::reacts_to<flush_writes>>;

}  // namespace troupe
