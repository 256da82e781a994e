// The place of a database in a temporary folder; what opens it is the test's.
#pragma once

#include "storage/storage_options.hpp"
#include "tests/support/temporary_folder.hpp"

namespace troupe {

class temporary_database {
 public:
  temporary_database() = default;
  explicit temporary_database(const std::filesystem::path& in) : folder_(in) {}

  const std::filesystem::path& folder() const noexcept { return folder_.path(); }
  std::filesystem::path path() const { return folder_ / "troupe.db"; }

  /// Small, so that a test costs little memory, and impatient, so that a lock that is in the way shows.
  storage_options options() const {
    storage_options options;
    options.path = path();
    options.busy_timeout = milliseconds{100};
    options.cache_kib = 2'000;
    return options;
  }

 private:
  temporary_folder folder_;
};

}  // namespace troupe
