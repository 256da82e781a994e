// Workflows whose maps are carried out by other workflows, without files.
#pragma once

#include "config/workflow_file.hpp"
#include "messages/base/sha256.hpp"
#include "messages/workflow.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace troupe {

/// `toml`, each of whose maps is of an agent, with `child` in the agent's place. Its hash is its own: the text does not
/// give it back.
inline workflow_ptr nested(const std::string& toml, const workflow_ptr& child) {
  const auto loaded = parse_workflow(toml, "test.toml", "");
  for (const auto& each : loaded.problems) {
    ADD_FAILURE() << each.at.line << ':' << each.at.column << ": " << each.message;
  }
  auto flow = *loaded.flow;
  for (auto& step : flow.steps) {
    if (step.map) {
      step.map->agent = {};
      step.map->workflow_file = child->name + ".toml";
      step.map->flow = child;
    }
  }
  flow.hash = "sha256:" + sha256_hex(flow.source + child->hash);
  return std::make_shared<const workflow>(std::move(flow));
}

inline workflow_ptr alone(const std::string& toml) {
  const auto loaded = parse_workflow(toml, "child.toml", "");
  for (const auto& each : loaded.problems) {
    ADD_FAILURE() << each.at.line << ':' << each.at.column << ": " << each.message;
  }
  return loaded.flow;
}

}  // namespace troupe
