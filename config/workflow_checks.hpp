// The parts of check_workflow, one source file each. Used by config/workflow_check*.cpp only.
#pragma once

#include "config/workflow_check.hpp"
#include "config/workflow_shape.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

/// What every part of the check looks at, and where it complains.
class workflow_complaints {
 public:
  workflow_complaints(const workflow& flow, const source_map& positions) : flow_(flow), positions_(positions) {}

  void error(const std::string& path, std::string message, std::string hint = {});
  void warning(const std::string& path, std::string message, std::string hint = {});
  /// At the n-th (from 0) `spelled` within the text at `path`.
  void in_text(problem::severity weight,
               const std::string& path,
               const std::string& spelled,
               int n,
               std::string message,
               std::string hint);

  /// Whether the path has a place of its own.
  bool knows(const std::string& path) const { return positions_.contains(path); }

  std::vector<problem> take() { return std::move(found_); }

 private:
  source_position place(const std::string& path, source_position known) const;

  const workflow& flow_;
  const source_map& positions_;
  std::vector<problem> found_;
};

/// `step[3].next[0]`.
std::string step_path(std::size_t index, std::string_view below = {});
std::string list_path(const std::string& path, std::size_t index);

/// Of a gate's level (from 0): `step[3].gate`, or `step[3].gate.levels[1]` where the file has levels.
std::string level_path(const workflow_complaints& out, std::size_t index, std::size_t level);

std::vector<std::string> step_names(const workflow& flow);

void check_graph(const workflow& flow, const workflow_shape& shape, workflow_complaints& out);
void check_executors(const workflow& flow, const check_context& known, workflow_complaints& out);
void check_consensus(const workflow& flow, workflow_complaints& out);
void check_fields(const workflow& flow, const workflow_shape& shape, workflow_complaints& out);
void check_templates(const workflow& flow, const workflow_shape& shape, workflow_complaints& out);
void check_gates(const workflow& flow, workflow_complaints& out);
void check_maps(const workflow& flow, workflow_complaints& out);
void check_pointers(const workflow& flow, const workflow_shape& shape, workflow_complaints& out);

}  // namespace troupe
