#include "actors/agent/request_hash.hpp"

#include "actors/agent/launch.hpp"
#include "actors/length_prefixed.hpp"
#include "messages/base/sha256.hpp"

#include <string_view>

namespace troupe {
namespace {

std::string_view name_of(agent_kind kind) {
  switch (kind) {
    case agent_kind::command:
      return "command";
    case agent_kind::http:
      return "http";
    case agent_kind::function:
      return "function";
    case agent_kind::workflow:
      return "workflow";
  }
  return {};
}

// Who is asked, beyond the name: the same name may stand for another program tomorrow.
void append_executor(std::string& text, const attempt_order& order) {
  switch (order.spec.kind) {
    case agent_kind::command: {
      const auto words = command_line(order.spec);
      append_part(text, std::to_string(words.size()));
      for (const auto& word : words) {
        append_part(text, word);
      }
      return;
    }
    case agent_kind::http:
      append_part(text, order.spec.endpoint);
      if (order.spec.max_tokens > 0) {
        append_part(text, std::to_string(order.spec.max_tokens));
      }
      return;
    case agent_kind::workflow:
      append_part(text, order.child == nullptr ? std::string_view{} : order.child->hash);
      return;
    case agent_kind::function:
      return;
  }
}

}  // namespace

std::string request_hash(const attempt_order& order) {
  const bool has_args = order.spec.kind == agent_kind::function;
  std::string text;
  append_part(text, name_of(order.spec.kind));
  append_part(text, order.spec.name.str());
  append_part(text, order.spec.model);
  append_part(text, order.prompt);
  append_part(text, has_args ? std::string_view{order.args.str()} : std::string_view{});
  append_part(text, order.item ? std::string_view{order.item->str()} : std::string_view{});
  append_executor(text, order);
  return "sha256:" + sha256_hex(text);
}

}  // namespace troupe
