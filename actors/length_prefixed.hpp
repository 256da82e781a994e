// Parts of a text that is hashed, so that they do not run into each other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// Appends a length in bytes as eight bytes, big-endian.
inline void append_length(std::string& out, std::size_t bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out += static_cast<char>((bytes >> static_cast<unsigned>(shift)) & 0xFFU);
  }
}

/// Appends the length of `part`, and the part. What is stored are hashes over such texts: never change.
inline void append_part(std::string& out, std::string_view part) {
  append_length(out, part.size());
  out += part;
}

}  // namespace troupe
