#include "storage/whole_file.hpp"

#include "storage/open_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// Names that somebody has taken already: a process that died, or one of the same number in another container.
constexpr int tries_max = 10'000;

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), std::min(bytes.size(), std::size_t{1} << 30U));
    if (written == 0) {
      return EIO;
    }
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return 0;
}

fs::path next_partial(const fs::path& folder) {
  static std::atomic<std::uint64_t> counter{0};
  return folder / (std::string{partial_prefix} + std::to_string(::getpid()) + '-' + std::to_string(++counter));
}

// EEXIST: another name has to be tried.
int write_partial(const fs::path& partial, std::string_view bytes, const blob_step_hook& before) {
  const open_file file{partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600};
  if (!file.good()) {
    return errno;
  }
  int failure = carry_out(before, blob_step::write, [&] { return write_all(file.number(), bytes); });
  if (failure == 0) {
    failure = carry_out(before, blob_step::sync_file, [&] { return ::fsync(file.number()) == 0 ? 0 : errno; });
  }
  if (failure != 0) {
    ::unlink(partial.c_str());
  }
  return failure;
}

}  // namespace

int write_whole_file(const fs::path& path,
                     std::string_view bytes,
                     const fs::path& partials,
                     const blob_step_hook& before) {
  if (const int refused = carry_out(before, blob_step::create, [] { return 0; }); refused != 0) {
    return refused;
  }
  fs::path partial;
  int failure = EEXIST;
  for (int i = 0; failure == EEXIST && i < tries_max; ++i) {
    partial = next_partial(partials);
    failure = write_partial(partial, bytes, before);
  }
  if (failure != 0) {
    return failure;
  }
  failure =
      carry_out(before, blob_step::rename, [&] { return ::rename(partial.c_str(), path.c_str()) == 0 ? 0 : errno; });
  if (failure != 0) {
    ::unlink(partial.c_str());
  }
  return failure;
}

int sync_folder(const fs::path& folder, const blob_step_hook& before) {
  const int failure = carry_out(before, blob_step::sync_folder, [&] {
    const open_file opened{folder, O_RDONLY | O_DIRECTORY};
    return opened.good() && ::fsync(opened.number()) == 0 ? 0 : errno;
  });
  return failure == EINVAL ? 0 : failure;
}

}  // namespace troupe
