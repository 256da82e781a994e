// The address of an API, as a setting spells it.
#pragma once

#include "messages/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe {

struct endpoint_address {
  bool secure = false;  ///< https.
  std::string host;     ///< As written, an IPv6 address without its brackets.
  bool is_loopback =
      false;  ///< By what it says, without asking anybody: 127.0.0.0/8, ::1, localhost and names below it.
};

/// `http://host`, `https://host:port/path`: no user or password, which would be a secret in a file; no query and no
/// fragment, since a path is added. INVALID_CONFIG says what is wrong with it.
result<endpoint_address> parse_endpoint(std::string_view text);

}  // namespace troupe
