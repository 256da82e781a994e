#include "messages/base/sha256.hpp"

#include "messages/base/invariant.hpp"

#include <openssl/evp.h>

#include <cstddef>

namespace troupe {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

}  // namespace

sha256_digest sha256(std::string_view bytes) {
  sha256_digest digest{};
  unsigned int length = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  invariant(ok == 1 && length == digest.size(), "SHA-256 is available");
  return digest;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string to_hex(const sha256_digest& digest) {
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::optional<sha256_digest> digest_from_hex(std::string_view hex) noexcept {
  sha256_digest digest{};
  if (hex.size() != 2 * digest.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const auto value = digits.find(hex[i]);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    digest[i / 2] = static_cast<std::uint8_t>((digest[i / 2] << 4U) | value);
  }
  return digest;
}

sha256_stream::sha256_stream() : context_(EVP_MD_CTX_new()) {
  invariant(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is available");
}

void sha256_stream::add(std::string_view bytes) {
  invariant(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 takes more");
}

sha256_digest sha256_stream::finish() {
  sha256_digest digest{};
  unsigned int length = 0;
  const int ok = EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
  invariant(ok == 1 && length == digest.size(), "SHA-256 ends");
  return digest;
}

void sha256_stream::release::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

}  // namespace troupe
