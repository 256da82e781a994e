// Content that is too large for a row: a file beside the database, named by what is in it.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/sha256.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Names one file, and says all that its content must be.
struct blob_ref {
  sha256_digest digest{};
  std::int64_t bytes = 0;

  friend bool operator==(const blob_ref&, const blob_ref&) = default;
};

/// The streams of an attempt that are files; what is not set is in its row.
struct output_blobs {
  std::optional<blob_ref> standard_output;
  std::optional<blob_ref> standard_error;

  friend bool operator==(const output_blobs&, const output_blobs&) = default;
};

/// To the blob writer: make files of these streams. Null: not of this one.
struct put_blobs {
  std::shared_ptr<const std::string> standard_output;
  std::shared_ptr<const std::string> standard_error;
};

/// The files are on disk, under their names. STORAGE_FULL, STORAGE_UNAVAILABLE: they are not, or not all of them; ask
/// again.
using put_blobs_reply = result<output_blobs>;

}  // namespace troupe
