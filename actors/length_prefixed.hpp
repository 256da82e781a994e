// Parts of a text that is hashed, so that they do not run into each other.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Appends the length of `part` in bytes as eight bytes, big-endian, and the part. What is stored are hashes over such
/// texts: never change.
inline void append_part(std::string& out, std::string_view part) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out += static_cast<char>((part.size() >> static_cast<unsigned>(shift)) & 0xFFU);
  }
  out += part;
}

}  // namespace troupe
