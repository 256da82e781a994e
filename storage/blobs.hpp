// Large outputs: files beside the database, each named by the SHA-256 of its content.
//
//   <database>.blobs/            0700, made with the first of them
//   <database>.blobs/ab/<hex>    0600; the two letters in front keep folders small, and let a pass over all of them
//                                (storage/blob_collection.hpp) be cut into 256 slices
//   <database>.blobs/.partial-*  being written, or left by a process that died
//
// The order that keeps a row from ever being without its file:
//   put      write, sync, rename, sync of the folder, and only then the row; the transaction that writes the row looks
//            whether the file is there
//   remove   the row goes, in a commit that is on disk, and only then the file, inside a write transaction that sees no
//            row for it
// Whatever dies in between leaves a file without a row at most. No pins are needed: SQLite has one write transaction at
// a time, so the look before the row and the removal exclude each other.
#pragma once

#include "messages/base/result.hpp"
#include "messages/blob.hpp"
#include "storage/storage_options.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Shards are the first byte of the digest.
inline constexpr int blob_shards = 256;

std::filesystem::path blob_folder_of(const std::filesystem::path& database);
std::filesystem::path blob_path(const std::filesystem::path& folder, const sha256_digest& digest);

/// Puts files into one folder. One thread at a time, and one store for a folder at a time: what is partial is the
/// store's own. Every call may block on the disk.
class blob_store {
 public:
  explicit blob_store(std::filesystem::path folder, blob_step_hook before = {});
  /// The folder of a database.
  explicit blob_store(const storage_options& options);

  /// After success the content is on disk, under its name. The same content twice is one file, which is compared byte
  /// by byte, and replaced where it is damaged; it is synced all the same, since whoever wrote it may have died before.
  /// STORAGE_FULL (no room, quota), STORAGE_READONLY, STORAGE_DENIED, STORAGE_UNAVAILABLE (anything else): nothing partial
  /// is left.
  result<blob_ref> put(std::string_view bytes);

  /// The same for the content of a file in another folder: a hard link to it where the file system can, else a copy.
  /// Read and compared with its digest in either case. Errors: as put and read_blob.
  status take(const blob_ref& ref, const std::filesystem::path& from);

  /// Removes what a dead process left half written. Call before the first put; only the owner of the lease may.
  void remove_partial() noexcept;

 private:
  status have_folder(const std::filesystem::path& folder);
  status keep_name(const std::filesystem::path& folder);
  status write_new(const std::filesystem::path& path, std::string_view bytes);

  std::filesystem::path folder_;
  blob_step_hook before_;
  std::set<std::filesystem::path> known_;  ///< Folders whose own names are on disk.
};

/// True where there is a file of this name and size. A look, not a proof: see verify_blob.
bool is_blob_there(const std::filesystem::path& folder, const blob_ref& ref) noexcept;

/// The content, which is what it was: size and digest are compared. STORAGE_CORRUPT, naming the file: it is not, or
/// there is none. STORAGE_UNAVAILABLE: it cannot be read.
result<std::string> read_blob(const std::filesystem::path& folder, const blob_ref& ref);

/// The same check, without keeping the content.
status verify_blob(const std::filesystem::path& folder, const blob_ref& ref);

/// Digests of the files of one shard, sorted; what has no such name is passed over. No folder: none.
result<std::vector<sha256_digest>> list_blobs(const std::filesystem::path& folder, int shard);

/// Bytes that were freed; 0 where there was no file.
result<std::int64_t> remove_blob(const std::filesystem::path& folder, const sha256_digest& digest);

}  // namespace troupe
