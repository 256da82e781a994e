#include "actors/run/replay_mismatch.hpp"

#include "messages/base/json_text.hpp"
#include "messages/base/sha256.hpp"

#include <algorithm>

namespace troupe {

std::string_view to_string(replay_subject what) noexcept {
  switch (what) {
    case replay_subject::missing:
      return "missing";
    case replay_subject::damaged:
      return "damaged";
    case replay_subject::front:
      return "front";
    case replay_subject::gates:
      return "gates";
    case replay_subject::request:
      return "request";
    case replay_subject::output:
      return "output";
    case replay_subject::outcome:
      return "outcome";
    case replay_subject::deltas:
      return "deltas";
    case replay_subject::state:
      return "state";
    case replay_subject::key:
      return "key";
    case replay_subject::end:
      return "end";
  }
  return {};
}

error error_of(const replay_mismatch& found) {
  std::string place = "superstep " + std::to_string(found.superstep.value());
  if (found.step) {
    place += ", step '" + found.step->str() + '\'';
  }
  if (found.task) {
    place += ", task " + found.task->str();
  }
  if (found.attempt) {
    place += ", attempt " + std::to_string(found.attempt->value());
  }
  std::string hashes;
  if (!found.expected.empty() || !found.actual.empty()) {
    hashes = " (recorded " + (found.expected.empty() ? "nothing" : found.expected) + ", replayed " +
             (found.actual.empty() ? "nothing" : found.actual) + ')';
  }
  return {error_code::replay_mismatch,
          place + ": " + found.message + hashes,
          "`troupe replay --lenient` lists all; `troupe db check` tells whether the file is damaged"};
}

std::string text_hash(std::string_view text) { return "sha256:" + sha256_hex(text); }

std::string cut(std::string_view text, std::size_t bytes_max) {
  auto size = std::min(text.size(), bytes_max);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    --size;  // not within a character
  }
  auto line = repair_utf8(text.substr(0, size));
  std::ranges::replace_if(
      line, [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; }, ' ');
  return size < text.size() ? line + "..." : line;
}

}  // namespace troupe
