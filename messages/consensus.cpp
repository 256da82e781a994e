#include "messages/consensus.hpp"

namespace troupe {

std::string_view to_string(verdict_status status) noexcept {
  switch (status) {
    case verdict_status::ok:
      return "ok";
    case verdict_status::degraded:
      return "degraded";
    case verdict_status::conflict:
      return "conflict";
    case verdict_status::insufficient:
      return "insufficient";
  }
  return "unknown";
}

}  // namespace troupe
