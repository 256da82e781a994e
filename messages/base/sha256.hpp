#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace troupe {

using sha256_digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4), by OpenSSL. Any thread; does not block.
sha256_digest sha256(std::string_view bytes);

/// Lower-case hex of it, 64 characters.
std::string sha256_hex(std::string_view bytes);
std::string to_hex(const sha256_digest& digest);

/// Reads to_hex back; anything else, upper case too, is none.
std::optional<sha256_digest> digest_from_hex(std::string_view hex) noexcept;

/// The same for what comes in pieces. One thread at a time.
class sha256_stream {
 public:
  sha256_stream();
  void add(std::string_view bytes);
  sha256_digest finish();  ///< Once, last of all.

 private:
  struct release {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, release> context_;
};

}  // namespace troupe
