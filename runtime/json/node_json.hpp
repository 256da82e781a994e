// What a running node tells of itself, for programs, and for a command that asks another process.
#pragma once

#include "messages/base/result.hpp"
#include "messages/health.hpp"
#include "messages/supervision.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// `{"pid":…,"children":[…]}`, each child `{"name":…,"state":"running","restarts":…,"last_reason":…,"answers":true,
/// "age_ms":…,"waiting":…,"step":…,"attempt":…,"pid":…,"children":[…]}`: what is not known is null.
std::string tree_json(const tree_view& tree, std::int64_t pid);
std::string child_json(const child_view& child);

/// `{"healthy":true,"looked_at":…,"actors":[{"name":…,"well":…,"last_answer":…,"latency_us":…,"waiting":…}],
/// "jobs":[{"name":…,"well":…,"last_success":…}]}`.
std::string health_json(const health_view& health);

struct node_tree {
  tree_view tree;
  std::int64_t pid = 0;  ///< Of the node's process.
};

/// What tree_json wrote. INTERNAL: it did not.
result<node_tree> read_tree(std::string_view json);

/// What health_json wrote, as far as a summary needs it: names, and who is well. INTERNAL: it did not.
result<health_view> read_health(std::string_view json);

}  // namespace troupe
