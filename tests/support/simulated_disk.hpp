// A disk that loses its power: which bytes may be on it, by what POSIX promises and no more.
//
// What was synced is there. What was written after the last sync of its file may be there or not, in any selection and
// not in order; of the newest write any 512-byte sectors may be there and others not. So it is with names: a file that was
// created or removed is so on the disk when its folder was synced, and may be before. SQLite's -shm has no changes of its
// own here: it is memory, and absent after a cut.
#pragma once

#include "tests/support/disk_record.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a cut leaves of the changes that were not synced.
enum class survival {
  everything,  ///< As when only the process dies: the system still writes all of it.
  nothing,     ///< The disk had not begun.
  some,        ///< Each change or not, by the seed.
  torn,        ///< All but a part of the newest write: its first half is there, or some of its sectors, by the seed.
};

std::string_view to_string(survival kept) noexcept;

/// Files by name, with their bytes.
using disk_image = std::map<std::string, std::string>;

/// Carries out a record, change by change, and tells at each moment what a cut would leave. One thread.
class simulated_disk {
 public:
  simulated_disk();
  simulated_disk(const simulated_disk&) = delete;
  simulated_disk& operator=(const simulated_disk&) = delete;
  ~simulated_disk();

  /// The next change. Throws std::logic_error for a file that is not there: the record is wrong.
  void apply(const disk_change& change);

  /// The same seed gives the same image. `seed` counts for `some` and `torn` only.
  disk_image after_cut(survival kept, std::uint64_t seed = 0) const;

 private:
  struct content;
  struct pending_name;

  using names = std::map<std::string, std::shared_ptr<content>>;

  content& at(const std::string& file);

  names now_;                              ///< What the system shows.
  names synced_;                           ///< What the folder on the disk says.
  std::vector<pending_name> not_synced_;   ///< What happened to names since.
  std::weak_ptr<content> newest_written_;  ///< Whose newest change is the one that may be torn.
};

/// Makes `folder` hold these files and nothing else.
void put_on_disk(const disk_image& image, const std::filesystem::path& folder);

}  // namespace troupe
