// What was written to a disk, in order and with contents: from any prefix of it one can tell what a disk may hold after
// the power was cut there (simulated_disk.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// One change of a folder of files. Files are named without their folder.
struct disk_change {
  enum class kind {
    found,        ///< The file was there before the record began; `bytes` are on the disk.
    create,       ///< The file is there now, empty; its name is on the disk with the next sync_folder.
    write,        ///< `bytes` at `offset`; what lies between the end of the file and `offset` becomes zeros.
    truncate,     ///< The file has `offset` bytes now: cut, or grown by zeros.
    sync,         ///< The contents of the file are on the disk.
    failed_sync,  ///< They are not, and a later sync does not put them there: the system takes what it could not write
                  ///< for written (as Linux does), and shows it until the power is cut.
    sync_folder,  ///< All names are on the disk: what was created is there, what was removed is not. `file` is empty.
    remove,       ///< The name is gone; from the disk with the next sync_folder.
  };

  kind what = kind::write;
  std::string file;
  std::int64_t offset = 0;
  std::string bytes;
};

/// Position `n` of a record is the moment after its first `n` changes.
using disk_record = std::vector<disk_change>;

}  // namespace troupe
