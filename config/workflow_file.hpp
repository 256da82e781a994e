// From a TOML file to the model of messages/workflow.hpp. Format: docs/workflow-file.md.
#pragma once

#include "config/problem.hpp"
#include "config/source_map.hpp"
#include "messages/workflow.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct loaded_workflow {
  workflow_ptr flow;   ///< Null exactly when one of the problems is an error.
  workflow_ptr draft;  ///< What could be read, also with errors, for checks only; null if it is not TOML.
  source_map positions;
  std::vector<problem> problems;  ///< What the reader found: spelling, types, names, ranges. In order of place.
};

/// Reads the file, each prompt_file that it names, and the workflows that its maps name, with all that these name. Blocks
/// on disk. Any thread. Problems are INVALID_WORKFLOW.
loaded_workflow load_workflow(const std::string& path);

/// The same from text. `file_name` is what problems call it; `folder` is where relative names of files count from.
///
/// `flow->source` is `text` as it is, followed, where files were read, by tables `[prompt_files]` and `[workflow_files]`
/// with their contents, those of workflows whole in the same way: parse_workflow(source) gives the same workflow, source
/// and hash, and reads no file. What is wrong with the workflow of a map has its own file and line, and a key behind that
/// of the map: `step[2].map.workflow.step[0].id`.
///
/// `retry` is [retry.agent] of the configuration that the run has: a step's `retry` says only what is different. Who does
/// not carry the workflow out need not know it.
loaded_workflow parse_workflow(std::string_view text,
                               const std::string& file_name,
                               const std::string& folder,
                               const retry_policy& retry = {});

/// A workflow file of this model, without comments. Reads back as an equal workflow; prompts are written inline, and the
/// workflows of maps as `[workflow_files]`.
std::string to_toml(const workflow& flow);

}  // namespace troupe
