#include "actors/actor_guard.hpp"

#include "messages/base/error.hpp"

#include <caf/atom.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <atomic>

namespace troupe {
namespace {

std::atomic<std::int64_t> bugs{0};

constexpr caf::atom_value category = caf::atom("troupe");

}  // namespace

std::int64_t actor_bugs() noexcept { return bugs.load(std::memory_order_relaxed); }

caf::error bug_reason(const std::string& actor, const std::exception_ptr& what) {
  std::string text = "unknown exception";
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& known) {
    text = known.what();
  } catch (...) {
    text = "exception of an unknown type";
  }
  bugs.fetch_add(1, std::memory_order_relaxed);
  spdlog::error("{} died of a bug: {}", actor, text);
  constexpr auto code = static_cast<std::uint8_t>(error_code::internal);
  return caf::error{code, category, caf::make_message(text)};
}

std::string reason_text(const caf::error& reason) {
  if (!reason) {
    return "normal";
  }
  if (reason.category() == category && reason.context().size() == 1 && reason.context().match_element<std::string>(0)) {
    return reason.context().get_as<std::string>(0);
  }
  if (reason.category() == caf::atom("exit")) {
    return caf::to_string(static_cast<caf::exit_reason>(reason.code()));
  }
  if (reason.category() == caf::atom("system")) {
    return caf::to_string(static_cast<caf::sec>(reason.code()));
  }
  return "error " + std::to_string(reason.code()) + " of " + caf::to_string(reason.category());
}

void log_unexpected(const std::string& actor) {
  spdlog::error("{} got a message that it does not know; refused", actor);
}

}  // namespace troupe
