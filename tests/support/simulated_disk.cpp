#include "tests/support/simulated_disk.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t sector_bytes = 512;

using dice = std::mt19937_64;

bool heads(dice& random) { return (random() & 1U) != 0; }

void write_at(std::string& content, std::size_t offset, std::string_view bytes) {
  content.resize(std::max(content.size(), offset + bytes.size()), '\0');
  content.replace(offset, bytes.size(), bytes);
}

void carry_out(std::string& content, const disk_change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.what == disk_change::kind::write) {
    write_at(content, offset, change.bytes);
  } else {
    content.resize(offset, '\0');
  }
}

// Sectors are the disk's, counted from the start of the file.
void carry_out_torn(std::string& content, const disk_change& change, dice& random) {
  const std::string_view bytes = change.bytes;
  const auto offset = static_cast<std::size_t>(change.offset);
  if (heads(random)) {
    write_at(content, offset, bytes.substr(0, bytes.size() / 2));
    return;
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const auto part = std::min(sector_bytes - (offset + done) % sector_bytes, bytes.size() - done);
    if (heads(random)) {
      write_at(content, offset + done, bytes.substr(done, part));
    }
    done += part;
  }
}

}  // namespace

std::string_view to_string(survival kept) noexcept {
  switch (kept) {
    case survival::everything:
      return "everything";
    case survival::nothing:
      return "nothing";
    case survival::some:
      return "some";
    case survival::torn:
      return "torn";
  }
  return "?";
}

// A file, whatever its name: it lives on without one while a name of it is on the disk.
struct simulated_disk::content {
  std::string now;
  std::string synced;
  std::vector<disk_change> since;  ///< Writes and truncations after the last sync.
};

struct simulated_disk::pending_name {
  std::string file;
  std::shared_ptr<content> is;  ///< Null: removed.
};

simulated_disk::simulated_disk() = default;
simulated_disk::~simulated_disk() = default;

simulated_disk::content& simulated_disk::at(const std::string& file) {
  const auto found = now_.find(file);
  if (found == now_.end()) {
    throw std::logic_error{"the record changes " + file + ", which is not there"};
  }
  return *found->second;
}

void simulated_disk::apply(const disk_change& change) {
  switch (change.what) {
    case disk_change::kind::found: {
      const auto made = std::make_shared<content>(content{change.bytes, change.bytes, {}});
      now_[change.file] = synced_[change.file] = made;
      return;
    }
    case disk_change::kind::create:
      now_[change.file] = std::make_shared<content>();
      not_synced_.push_back({change.file, now_[change.file]});
      return;
    case disk_change::kind::write:
    case disk_change::kind::truncate: {
      auto& file = at(change.file);
      carry_out(file.now, change);
      file.since.push_back(change);
      newest_written_ = now_[change.file];
      return;
    }
    case disk_change::kind::sync: {
      auto& file = at(change.file);
      for (const auto& done : file.since) {
        carry_out(file.synced, done);
      }
      file.since.clear();
      return;
    }
    case disk_change::kind::failed_sync:
      at(change.file).since.clear();
      return;
    case disk_change::kind::sync_folder:
      synced_ = now_;
      not_synced_.clear();
      return;
    case disk_change::kind::remove:
      static_cast<void>(at(change.file));
      now_.erase(change.file);
      not_synced_.push_back({change.file, nullptr});
      return;
  }
}

disk_image simulated_disk::after_cut(survival kept, std::uint64_t seed) const {
  dice random{seed};
  names left = kept == survival::everything || kept == survival::torn ? now_ : synced_;
  if (kept == survival::some) {
    for (const auto& [file, is] : not_synced_) {
      if (!heads(random)) {
        continue;
      }
      if (is) {
        left[file] = is;
      } else {
        left.erase(file);
      }
    }
  }
  const auto newest = newest_written_.lock();
  disk_image image;
  for (const auto& [file, is] : left) {
    auto& bytes = image[file];
    bytes = kept == survival::everything ? is->now : is->synced;
    if (kept == survival::everything || kept == survival::nothing) {
      continue;
    }
    for (const auto& change : is->since) {
      const bool last = is == newest && &change == &is->since.back();
      if (kept == survival::torn && last && change.what == disk_change::kind::write) {
        carry_out_torn(bytes, change, random);
      } else if (kept == survival::torn || heads(random)) {
        carry_out(bytes, change);
      }
    }
  }
  return image;
}

void put_on_disk(const disk_image& image, const fs::path& folder) {
  fs::create_directory(folder);
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (!image.contains(entry.path().filename().string())) {
      fs::remove_all(entry);
    }
  }
  for (const auto& [name, bytes] : image) {
    std::ofstream file{folder / name, std::ios::binary};
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) {
      throw std::runtime_error{"cannot write " + (folder / name).string()};
    }
  }
}

}  // namespace troupe
