// The parts of parse_workflow. Used by config/workflow_*.cpp only.
#pragma once

#include "config/toml_reader.hpp"
#include "config/workflow_file.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// The texts of prompt files: from the table `[prompt_files]` of a file that is whole by itself, else from disk.
class prompt_library {
 public:
  explicit prompt_library(std::string folder) : folder_(std::move(folder)) {}

  /// Takes over `[prompt_files]`.
  void add_inlined(const toml_value_ref& table, std::string_view source);

  struct prompt {
    std::string text;
    source_position at;
    std::string raw;  ///< As spelled at `at`.
  };

  /// The text of the file that `name` names; nothing after a complaint.
  std::optional<prompt> find(const toml_value_ref& name);

  /// The table for what was read from disk, to be added at the end of the source; empty if there is nothing to add.
  std::string inlined_table() const;

  /// Complains about inlined texts that no step has asked for.
  void finish(problem_sink& sink) const;

 private:
  struct entry {
    prompt text;
    toml_place at;
    bool from_disk = false;
    bool is_used = false;
  };

  std::string folder_;
  std::map<std::string, entry> entries_;
  bool has_table_ = false;
};

struct workflow_parts {
  std::string_view source;
  problem_sink& sink;
  source_map& positions;
  prompt_library& prompts;
  const retry_policy& retry;  ///< Of agents, as configured: what a step's own leaves out.
};

/// Keeps how a prompt is spelled, so that a placeholder in it can be pointed at.
void note_text(const toml_value_ref& value, workflow_parts& parts);

/// `[[step]]` number `index` (from 0). What could not be read keeps its default.
step parse_step(const toml_table& table, toml_place at, std::size_t index, workflow_parts& parts);

/// The value of `consensus`; nothing after a complaint that leaves nothing of it.
std::optional<consensus_policy> parse_consensus(const toml_value_ref& value, workflow_parts& parts);

/// The value of `next`.
std::vector<route> parse_routes(const toml_value_ref& value, source_map& positions);

/// The value of `when`; nothing after a complaint.
std::optional<condition> parse_condition(const toml_value_ref& value, source_map& positions);

}  // namespace troupe
