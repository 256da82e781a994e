#include "actors/actor_guard.hpp"

#include "messages/base/error.hpp"

#include <caf/atom.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/message_view.hpp>
#include <caf/result.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

std::atomic<std::int64_t> bugs{0};

constexpr caf::atom_value category = caf::atom("troupe");

ping_view answer_to_ping(caf::scheduled_actor* self,
                         const ping_details& details,
                         std::chrono::steady_clock::time_point born) {
  ping_view answer;
  answer.age = std::chrono::duration_cast<milliseconds>(self->clock().now() - born);
  answer.waiting = static_cast<std::int64_t>(self->mailbox().size());
  if (details) {
    details(answer);
  }
  return answer;
}

}  // namespace

std::int64_t actor_bugs() noexcept { return bugs.load(std::memory_order_relaxed); }

caf::error bug_reason(const std::string& actor, const std::exception_ptr& what, const log_place& place) {
  std::string text = "unknown exception";
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& known) {
    text = known.what();
  } catch (...) {
    text = "exception of an unknown type";
  }
  bugs.fetch_add(1, std::memory_order_relaxed);
  log_at(place, spdlog::level::err, "{} died of a bug: {}", actor, text);
  return abnormal_reason(std::move(text));
}

caf::error abnormal_reason(std::string text) {
  constexpr auto code = static_cast<std::uint8_t>(error_code::internal);
  return caf::error{code, category, caf::make_message(std::move(text))};
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

void guard(caf::scheduled_actor* self, const std::string& name, ping_details details, log_place place) {
  self->set_exception_handler(
      [name, place](std::exception_ptr& what) -> caf::error { return bug_reason(name, what, place); });
  self->set_default_handler([name, details = std::move(details), place = std::move(place), born = self->clock().now()](
                                caf::scheduled_actor* me, caf::message_view& view) -> caf::result<caf::message> {
    const auto& asked = view.content();
    if (asked.match_elements<ping_query>()) {
      return caf::make_message(answer_to_ping(me, details, born));
    }
    if (asked.match_elements<provoke_bug>()) {
      throw std::runtime_error{asked.get_as<provoke_bug>(0).text};
    }
    log_at(place, spdlog::level::err, "{} got a message that it does not know; refused", name);
    return caf::sec::unexpected_message;
  });
}

}  // namespace troupe
