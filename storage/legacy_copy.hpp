// A private copy of somebody else's database, made without a trace beside the original.
#pragma once

#include "messages/base/result.hpp"

#include <filesystem>
#include <string>

namespace troupe {

/// A file in a folder of its own (0700), with what its log or journal held worked into it. Gone with this object.
class legacy_copy {
 public:
  /// Copies `original` as it was committed at one moment, also while its program uses it: file, log and rollback journal
  /// are read, and nothing is written, neither there nor to its -shm. While it copies it holds the lock of a reader.
  /// `scratch` is a folder with room for all of it. Errors:
  ///   NOT_FOUND            no such file
  ///   INVALID_INPUT        a folder, or not a SQLite database
  ///   STORAGE_BUSY         its program writes to it now, or changed it again and again while it was copied
  ///   STORAGE_CORRUPT      damaged
  ///   STORAGE_FULL, STORAGE_UNAVAILABLE  no room for the copy; a missing permission
  static result<legacy_copy> make(const std::filesystem::path& original, const std::filesystem::path& scratch);

  legacy_copy(legacy_copy&& other) noexcept;
  legacy_copy(const legacy_copy&) = delete;
  legacy_copy& operator=(const legacy_copy&) = delete;
  legacy_copy& operator=(legacy_copy&&) = delete;
  ~legacy_copy();

  std::filesystem::path file() const;

  /// Takes its names away, so that nothing is left even if this process is killed. Who has it open can go on reading.
  void unlink() noexcept;

 private:
  explicit legacy_copy(std::filesystem::path folder) noexcept;

  std::filesystem::path folder_;
};

}  // namespace troupe
