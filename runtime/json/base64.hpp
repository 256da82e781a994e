// Bytes as text (RFC 4648, section 4): standard alphabet, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

std::string base64(std::string_view bytes);

/// None where the text is no base64: a foreign character, a wrong length, padding in the middle.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace troupe
