// Files that are there whole or not at all, for this user alone.
#pragma once

#include "storage/storage_options.hpp"

#include <filesystem>
#include <string_view>

namespace troupe {

/// The beginning of the name of a file that is being written, or that a process left when it died.
inline constexpr std::string_view partial_prefix = ".partial-";

/// Makes `path`, or takes the place of what is there, with mode 0600: a new file in the folder `partials`, on the same
/// file system, is written, synced and renamed. A file that is in its way is neither followed nor written over, so that any
/// number of threads and processes may use one folder. The name is on disk after sync_folder.
/// 0, or an errno: then nothing partial is left, and `path` is as it was. Blocks on the disk. `before` is asked before
/// create, write, sync_file and rename.
int write_whole_file(const std::filesystem::path& path,
                     std::string_view bytes,
                     const std::filesystem::path& partials,
                     const blob_step_hook& before = {});

/// 0, or an errno; 0 also of a file system that knows no such thing, and keeps its names in some other way. Blocks on the
/// disk. `before` is asked before sync_folder.
int sync_folder(const std::filesystem::path& folder, const blob_step_hook& before = {});

/// Carries out one step, unless the hook lets it fail. `act` gives an errno, or 0.
template <class Act>
int carry_out(const blob_step_hook& before, blob_step step, Act act) {
  const int refused = before ? before(step) : 0;
  return refused != 0 ? refused : act();
}

}  // namespace troupe
