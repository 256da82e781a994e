// A document that the code makes and that people read in the repository: a test compares the two.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace troupe {

/// Empty if `path`, from the top of the repository, holds `made`; else what to do. With TROUPE_UPDATE=1 in the
/// environment it is written first.
inline std::string difference_to_kept(const std::string& path, const std::string& made) {
  const std::string whole = std::string{TROUPE_SOURCE_DIR} + '/' + path;
  const char* const update = std::getenv("TROUPE_UPDATE");  // NOLINT(concurrency-mt-unsafe): one thread
  if (update != nullptr && std::string{update} == "1") {
    std::ofstream{whole, std::ios::binary | std::ios::trunc} << made;
  }
  std::ifstream file{whole, std::ios::binary};
  const std::string kept{std::istreambuf_iterator<char>{file}, {}};
  if (kept == made) {
    return {};
  }
  std::size_t line = 1;
  for (std::size_t at = 0; at < kept.size() && at < made.size() && kept[at] == made[at]; ++at) {
    line += made[at] == '\n' ? 1U : 0U;
  }
  return path + " differs from what the code makes, first in line " + std::to_string(line) +
         "; to write it anew: TROUPE_UPDATE=1 ./dev test -R documents";
}

}  // namespace troupe
