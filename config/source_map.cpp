#include "config/source_map.hpp"

#include <cstddef>
#include <utility>

namespace troupe {
namespace {

// Where `offset` bytes of `raw` end, when `raw` starts at `from`. Columns count code points, as editors do.
source_position advance(source_position from, std::string_view raw, std::size_t offset) {
  for (const char byte : raw.substr(0, offset)) {
    if (byte == '\n') {
      ++from.line;
      from.column = 1;
    } else if ((static_cast<unsigned char>(byte) & 0xC0U) != 0x80U) {
      ++from.column;
    }
  }
  return from;
}

}  // namespace

void source_map::set(std::string path, source_position at) {
  places_.insert_or_assign(std::move(path), place{std::move(at), {}});
}

void source_map::set_text(std::string path, source_position at, std::string raw) {
  places_.insert_or_assign(std::move(path), place{std::move(at), std::move(raw)});
}

source_position source_map::find(std::string_view path) const {
  while (true) {
    if (const auto found = places_.find(path); found != places_.end()) {
      return found->second.at;
    }
    const auto cut = path.find_last_of(".[");
    if (cut == std::string_view::npos) {
      break;
    }
    path = path.substr(0, cut);
  }
  const auto root = places_.find(std::string_view{});
  return root != places_.end() ? root->second.at : source_position{};
}

source_position source_map::find_in_text(std::string_view path, std::string_view needle, int n) const {
  const auto found = places_.find(path);
  if (found == places_.end() || needle.empty()) {
    return find(path);
  }
  const std::string& raw = found->second.raw;
  std::size_t offset = raw.find(needle);
  for (int i = 0; i < n && offset != std::string::npos; ++i) {
    offset = raw.find(needle, offset + 1);
  }
  return offset == std::string::npos ? found->second.at : advance(found->second.at, raw, offset);
}

source_map source_map::below(std::string_view path) const {
  const std::string prefix = std::string{path} + '.';
  source_map out;
  for (auto at = places_.lower_bound(prefix); at != places_.end() && at->first.starts_with(prefix); ++at) {
    out.places_.emplace_hint(out.places_.end(), at->first.substr(prefix.size()), at->second);
  }
  return out;
}

void source_map::set_below(const std::string& path, const source_map& other) {
  for (const auto& [name, spot] : other.places_) {
    places_.insert_or_assign(path + '.' + name, spot);
  }
}

bool source_map::contains(std::string_view path) const { return places_.find(path) != places_.end(); }

}  // namespace troupe
