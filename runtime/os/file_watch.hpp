// Waiting for another process to write to a file, without polling. inotify(7).
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <filesystem>
#include <string>

namespace troupe {

/// Watches the folder, since a file may be made, deleted and made again (SQLite's log is). Changes through shared
/// memory are not seen, nor those on another machine's side of a network file system: look yourself now and then.
class file_watch {
 public:
  /// Every file in `folder` whose name starts with `name`. INTERNAL where the system refuses, e.g. at the user's limit.
  static result<file_watch> on(const std::filesystem::path& folder, std::string name);

  file_watch(file_watch&& other) noexcept;
  file_watch& operator=(file_watch&&) = delete;
  ~file_watch();

  /// True when one of the files has changed since the last call, or within `at_most`. Blocks.
  bool wait(milliseconds at_most);

 private:
  file_watch(int descriptor, std::string name) noexcept;
  bool take_changes();

  int descriptor_ = -1;
  std::string name_;
};

}  // namespace troupe
