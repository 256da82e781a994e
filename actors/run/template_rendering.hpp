// A prompt with its placeholders filled in. Pure.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// What a prompt may name: `inputs.x`, `state.path.to`, `run.id`, `run.subject`, `step.id`; for an aggregator, `outputs`;
/// inside a map, its element by the name that the map gives it.
struct prompt_names {
  const json_text& inputs;  ///< An object.
  const json_text& state;   ///< An object.
  const run_id& run;
  const std::string& subject;
  const step_id& step;
  const json_text* outputs = nullptr;  ///< An object of agent to answer; null: the prompt may not name it.
  std::string_view item_name{};
  const json_text* item = nullptr;  ///< Null: the prompt is not inside a map.
};

/// Texts stand as they are, other values as canonical JSON. INVALID_INPUT names what a placeholder does not find.
result<std::string> render_prompt(std::string_view prompt, const prompt_names& names);

}  // namespace troupe
