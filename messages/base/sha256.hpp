#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// SHA-256 (FIPS 180-4), by OpenSSL. Any thread; does not block.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

/// Lower-case hex of it, 64 characters.
std::string sha256_hex(std::string_view bytes);

}  // namespace troupe
