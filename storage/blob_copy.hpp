// The files of large outputs that a copy of a database refers to.
#pragma once

#include "messages/base/result.hpp"

#include <filesystem>

namespace SQLite {
class Database;
}

namespace troupe {

/// For every row of `blobs` in `copy`, its file from folder `from` in folder `to`, which is made if there is any: a hard
/// link where both are on one file system (files of outputs are never written again, only replaced), else a copy; each
/// read and compared with its hash, and synced. A copy without such a table (an older schema) needs none.
///
/// False: a file is gone because `live`, the database that was copied, has given it up meanwhile. STORAGE_CORRUPT: a
/// file that `live` still refers to is not there or damaged. STORAGE_FULL, STORAGE_UNAVAILABLE. On an error `to` is left
/// half full: remove it. Throws SQLite::Exception.
result<bool> copy_blobs(const SQLite::Database& copy,
                        const SQLite::Database& live,
                        const std::filesystem::path& from,
                        const std::filesystem::path& to);

}  // namespace troupe
