#include "storage/blobs.hpp"

#include "storage/open_file.hpp"
#include "storage/system_error.hpp"
#include "storage/whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = std::size_t{64} << 10U;
constexpr int read_only = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;  // whatever is in the place of a file

error failed(const fs::path& path, int code, std::string_view doing) {
  return system_error(code, doing, path, "look at the owner and mode of the folder, and at the system's log");
}

error damaged_blob(const fs::path& path, const std::string& how) {
  return {error_code::storage_corrupt,
          "the file of an output " + how + ": " + path.string(),
          "a backup beside the database may have it; `troupe db check` names every such file"};
}

// As `read`, but an interrupted call is repeated. -1: errno tells.
ssize_t read_some(int file, char* to, std::size_t bytes) {
  for (;;) {
    const auto read = ::read(file, to, bytes);
    if (read >= 0 || errno != EINTR) {
      return read;
    }
  }
}

// Hands the content to `take` piece by piece, until it gives false. 0, or an errno.
template <class Take>
int read_pieces(int file, Take take) {
  std::array<char, chunk_bytes> buffer{};
  for (;;) {
    const auto read = read_some(file, buffer.data(), buffer.size());
    if (read < 0) {
      return errno;
    }
    if (read == 0 || !take(std::string_view{buffer.data(), static_cast<std::size_t>(read)})) {
      return 0;
    }
  }
}

std::optional<std::int64_t> size_of(const open_file& file) {
  struct stat facts {};
  const bool plain = ::fstat(file.number(), &facts) == 0 && S_ISREG(facts.st_mode);
  return plain ? std::optional{std::int64_t{facts.st_size}} : std::nullopt;
}

// Whether the file holds exactly these bytes, and has them on disk. What cannot be read does not.
bool holds(const fs::path& path, std::string_view bytes) {
  const open_file file{path, read_only};
  if (!file.good() || size_of(file) != static_cast<std::int64_t>(bytes.size())) {
    return false;
  }
  auto rest = bytes;
  const int failure = read_pieces(file.number(), [&](std::string_view piece) {
    const bool same = rest.starts_with(piece);
    rest.remove_prefix(same ? piece.size() : 0);
    return same;
  });
  return failure == 0 && rest.empty() && ::fsync(file.number()) == 0;
}

// Hands a file that has the right size to `take`; then its digest must be right, too.
template <class Take>
status read_checked(const fs::path& folder, const blob_ref& ref, Take take) {
  const auto path = blob_path(folder, ref.digest);
  const open_file file{path, read_only};
  if (!file.good()) {
    const bool missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return missing ? damaged_blob(path, "is not there") : failed(path, errno, "cannot read an output");
  }
  const auto bytes = size_of(file);
  if (bytes != ref.bytes) {
    return damaged_blob(path,
                        !bytes ? std::string{"is no file"}
                               : "has " + std::to_string(*bytes) + " bytes instead of " + std::to_string(ref.bytes));
  }
  sha256_stream digest;
  const int failure = read_pieces(file.number(), [&](std::string_view piece) {
    digest.add(piece);
    take(piece);
    return true;
  });
  if (failure != 0) {
    return failed(path, failure, "cannot read an output");
  }
  return digest.finish() == ref.digest ? status{done} : damaged_blob(path, "is not what it was");
}

// The names in a folder; none where there is no folder.
result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator entry{folder, failure}; !failure && entry != fs::directory_iterator{};
       entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    return failed(folder, failure.value(), "cannot list the outputs");
  }
  return names;
}

}  // namespace

fs::path blob_folder_of(const fs::path& database) { return database.string() + ".blobs"; }

fs::path blob_path(const fs::path& folder, const sha256_digest& digest) {
  const auto name = to_hex(digest);
  return folder / name.substr(0, 2) / name;
}

blob_store::blob_store(fs::path folder, blob_step_hook before)
    : folder_(std::move(folder)), before_(std::move(before)) {}

blob_store::blob_store(const storage_options& options)
    : blob_store(blob_folder_of(options.path), options.before_blob_step) {}

result<blob_ref> blob_store::put(std::string_view bytes) {
  const blob_ref ref{sha256(bytes), static_cast<std::int64_t>(bytes.size())};
  const auto path = blob_path(folder_, ref.digest);
  auto stored = have_folder(folder_);
  if (stored) {
    stored = have_folder(path.parent_path());
  }
  if (stored && !holds(path, bytes)) {
    stored = write_new(path, bytes);
  }
  if (stored) {
    stored = keep_name(path.parent_path());
  }
  if (!stored) {
    known_.clear();  // somebody may have removed a folder
    return stored.error();
  }
  return ref;
}

status blob_store::take(const blob_ref& ref, const fs::path& from) {
  const auto path = blob_path(folder_, ref.digest);
  auto taken = verify_blob(from, ref);
  if (taken) {
    taken = have_folder(folder_);
  }
  if (taken) {
    taken = have_folder(path.parent_path());
  }
  if (!taken) {
    return taken;
  }
  if (::link(blob_path(from, ref.digest).c_str(), path.c_str()) == 0) {
    return keep_name(path.parent_path());
  }
  const auto content = read_blob(from, ref);  // another file system, one without links, or one link too many
  if (!content) {
    return content.error();
  }
  const auto stored = put(*content);
  return stored ? status{done} : status{stored.error()};
}

void blob_store::remove_partial() noexcept {
  try {
    const auto names = names_in(folder_);
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
      if (name.starts_with(partial_prefix)) {
        ::unlink((folder_ / name).c_str());
      }
    }
  } catch (const std::exception&) {
    // Garbage may wait for the next start.
  }
}

// 0700, and its own name on disk: once for each folder in the life of the store.
status blob_store::have_folder(const fs::path& folder) {
  if (known_.contains(folder)) {
    return done;
  }
  const int failure = carry_out(before_, blob_step::make_folder, [&] {
    return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
  });
  if (failure != 0) {
    return failed(folder, failure, "cannot create the folder of outputs");
  }
  if (auto synced = keep_name(folder.has_parent_path() ? folder.parent_path() : fs::path{"."}); !synced) {
    return synced;
  }
  known_.insert(folder);
  return done;
}

status blob_store::keep_name(const fs::path& folder) {
  const int failure = sync_folder(folder, before_);
  return failure == 0 ? status{done} : failed(folder, failure, "cannot sync the folder");
}

status blob_store::write_new(const fs::path& path, std::string_view bytes) {
  const int failure = write_whole_file(path, bytes, folder_, before_);
  return failure == 0 ? status{done} : failed(path, failure, "cannot write an output");
}

bool is_blob_there(const fs::path& folder, const blob_ref& ref) noexcept {
  struct stat facts {};
  return ::lstat(blob_path(folder, ref.digest).c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         facts.st_size == ref.bytes;
}

result<std::string> read_blob(const fs::path& folder, const blob_ref& ref) {
  std::string content;
  auto read = read_checked(folder, ref, [&](std::string_view piece) {
    content.reserve(static_cast<std::size_t>(ref.bytes));  // only once the size is known to be right
    content += piece;
  });
  return read ? result<std::string>{std::move(content)} : result<std::string>{read.error()};
}

status verify_blob(const fs::path& folder, const blob_ref& ref) {
  return read_checked(folder, ref, [](std::string_view) {});
}

result<std::vector<sha256_digest>> list_blobs(const fs::path& folder, int shard) {
  sha256_digest first{};
  first[0] = static_cast<std::uint8_t>(shard);
  const auto names = names_in(blob_path(folder, first).parent_path());
  if (!names) {
    return names.error();
  }
  std::vector<sha256_digest> found;
  for (const auto& name : *names) {
    if (const auto digest = digest_from_hex(name); digest && digest->front() == first.front()) {
      found.push_back(*digest);
    }
  }
  std::ranges::sort(found);
  return found;
}

result<std::int64_t> remove_blob(const fs::path& folder, const sha256_digest& digest) {
  const auto path = blob_path(folder, digest);
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || ::unlink(path.c_str()) != 0) {
    return errno == ENOENT ? result<std::int64_t>{0} : failed(path, errno, "cannot remove an output");
  }
  return std::int64_t{facts.st_size};
}

}  // namespace troupe
