// A copy of the database while it is in use.
#pragma once

#include "messages/base/result.hpp"

#include <filesystem>

namespace SQLite {
class Database;
}

namespace troupe {

/// Copies what `source` sees now to `target` (VACUUM INTO), with the large outputs that it refers to as `<target>.blobs`
/// (storage/blob_copy.hpp): made under another name, 0600, checked by integrity_check, synced, and only then given its
/// name, the outputs first; on an error nothing is left. DUPLICATE_ID when either is there. `file` is the path of
/// `source`.
/// No transaction may be open on `source`. Others may write meanwhile.
status copy_database(SQLite::Database& source, const std::filesystem::path& file, const std::filesystem::path& target);

}  // namespace troupe
