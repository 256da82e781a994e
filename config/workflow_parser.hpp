// The parts of parse_workflow. Used by config/workflow_*.cpp only.
#pragma once

#include "config/toml_reader.hpp"
#include "config/workflow_file.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// What the reading of one file passes on to that of the files which its maps name.
struct file_reading {
  std::vector<std::string> files;  ///< From the first to this one, as the file system knows them: none within itself.
  int* files_left = nullptr;       ///< Of all that may be read in all; counted down.
  retry_policy retry{};            ///< Of agents, as configured: what a step's own leaves out.
};

/// The workflows that maps name: from the table `[workflow_files]` of a file that is whole by itself, else from disk.
class workflow_library {
 public:
  workflow_library(std::string folder, file_reading reading)
      : folder_(std::move(folder)), reading_(std::move(reading)) {}

  /// Takes over `[workflow_files]`.
  void add_inlined(const toml_value_ref& table);

  /// What the file that `name` names holds; null after a complaint. One with problems of its own may be a draft.
  const loaded_workflow* find(const toml_value_ref& name);

  /// The table for what was read from disk, to be added at the end of the source; empty if there is nothing to add.
  std::string inlined_table() const;

  /// Complains about inlined workflows that no map has asked for.
  void finish(problem_sink& sink) const;

 private:
  struct entry {
    loaded_workflow loaded;
    toml_place at;
    bool from_disk = false;
    bool is_used = false;
  };

  const loaded_workflow* read(const toml_value_ref& name, const std::string& file);

  std::string folder_;
  file_reading reading_;
  std::map<std::string, std::string> texts_;  ///< Inlined and not asked for yet.
  std::map<std::string, entry> entries_;
  bool has_table_ = false;
};

/// What parse_workflow does, as part of reading another file.
loaded_workflow parse_workflow_in(std::string_view text,
                                  const std::string& file_name,
                                  const std::string& folder,
                                  file_reading reading);

struct workflow_parts {
  std::string_view source;
  problem_sink& sink;
  source_map& positions;
  prompt_library& prompts;
  const retry_policy& retry;  ///< Of agents, as configured: what a step's own leaves out.
  workflow_library& workflows;
  std::vector<problem>& of_others;  ///< Problems of the files of maps, by the paths that they have here.
};

/// Keeps how a prompt is spelled, so that a placeholder in it can be pointed at.
void note_text(const toml_value_ref& value, workflow_parts& parts);

/// `[[step]]` number `index` (from 0). What could not be read keeps its default.
step parse_step(const toml_table& table, toml_place at, std::size_t index, workflow_parts& parts);

/// The function that `args` belong to; nothing where there is none, or after a complaint.
std::optional<function_call> parse_function(toml_reader& reader);

/// The value of `gate`; nothing after a complaint that leaves nothing of it.
std::optional<gate_policy> parse_gate(const toml_value_ref& value, workflow_parts& parts);

/// The value of `map`; nothing after a complaint that leaves nothing of it.
std::optional<map_policy> parse_map(const toml_value_ref& value, workflow_parts& parts);

/// The value of `consensus`; nothing after a complaint that leaves nothing of it.
std::optional<consensus_policy> parse_consensus(const toml_value_ref& value, workflow_parts& parts);

/// The value of `next`.
std::vector<route> parse_routes(const toml_value_ref& value, source_map& positions);

/// The value of `when`; nothing after a complaint.
std::optional<condition> parse_condition(const toml_value_ref& value, source_map& positions);

}  // namespace troupe
