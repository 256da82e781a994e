// The names in prompts.
#include "config/template_text.hpp"
#include "config/workflow_checks.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 3> fixed_names{"run.id", "run.subject", "step.id"};
constexpr std::string_view outputs_name = "outputs";  // Of the prompt of an aggregator alone.

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class template_checker {
 public:
  template_checker(const workflow& flow, const workflow_shape& shape, workflow_complaints& out)
      : flow_(flow),
        out_(out),
        any_field_(shape.has_host_function()),
        fields_(shape.fields()),
        behind_errors_(shape.behind_errors()) {
    for (const auto& field : flow.inputs) {
      inputs_.push_back(field.name);
    }
  }

  void check() {
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      const step& each = flow_.steps[i];
      element_ = each.map ? each.map->as : "";
      sees_error_ = behind_errors_[i];
      check_prompt(step_path(i, "prompt"), each.prompt);
      for (std::size_t level = 0; each.gate && level < each.gate->levels.size(); ++level) {
        check_prompt(level_path(out_, i, level) + ".prompt", each.gate->levels[level].prompt);
      }
      if (each.consensus && !each.consensus->aggregate_prompt.empty()) {
        check_aggregate_prompt(step_path(i, "consensus.prompt"), each.consensus->aggregate_prompt);
      }
    }
  }

 private:
  void check_aggregate_prompt(const std::string& path, const std::string& prompt) {
    sees_outputs_ = true;
    check_prompt(path, prompt);
    sees_outputs_ = false;
    const auto pieces = parse_template(prompt).pieces;
    const auto is_outputs = [](const template_piece& piece) { return name_of(piece) == outputs_name; };
    if (std::none_of(pieces.begin(), pieces.end(), is_outputs)) {
      out_.warning(path,
                   "the aggregator does not get to see the answers: its prompt has no {{outputs}}",
                   "write {{outputs}} where they belong");
    }
  }

  void check_prompt(const std::string& path, const std::string& prompt) {
    path_ = path;
    prompt_ = prompt;
    const auto parsed = parse_template(prompt);
    for (const auto& fault : parsed.faults) {
      offset_ = fault.offset;
      complain(problem::severity::error, fault.spelled, fault.message, fault.hint);
    }
    for (const auto& piece : parsed.pieces) {
      offset_ = piece.offset;
      if (piece.is == template_piece::kind::reference) {
        check_reference(piece);
      }
    }
    check_foreign();
  }

  void check_reference(const template_piece& piece) {
    const std::string& root = piece.path.front();
    if (root == "inputs") {
      check_member(piece, inputs_, "input", problem::severity::error);
    } else if (root == "state" && piece.path.size() > 1 && piece.path[1] == last_error_name) {
      check_last_error(piece);
    } else if (root == "state") {
      // A function of the host may write a field that nothing here names.
      check_member(piece, fields_, "field", any_field_ ? problem::severity::warning : problem::severity::error);
    } else if (element_.empty() || root != element_) {
      check_fixed(piece);
    }
  }

  void check_last_error(const template_piece& piece) {
    if (!sees_error_ && !contains(fields_, last_error_name)) {
      complain(any_field_ ? problem::severity::warning : problem::severity::error,
               piece.text,
               "'" + piece.text + "': there is no error here: no 'on_error' leads to this step",
               "name the step in 'on_error' of another, or take it out");
    }
  }

  void check_member(const template_piece& piece,
                    const std::vector<std::string>& names,
                    const std::string& what,
                    problem::severity weight) {
    const std::string& root = piece.path.front();
    if (piece.path.size() == 1) {
      complain(
          problem::severity::error, piece.text, "'" + piece.text + "' names no " + what, "write {{" + root + ".NAME}}");
      return;
    }
    if (contains(names, piece.path[1])) {
      return;
    }
    std::string hint = suggestion(piece.path[1], names);
    if (hint.empty()) {
      hint = root == "inputs" ? "declare it: [inputs." + piece.path[1] + "]"
                              : "no step writes a field, and [state] declares none";
    }
    complain(weight, piece.text, "'" + piece.text + "': there is no " + what + " '" + piece.path[1] + '\'', hint);
  }

  void check_fixed(const template_piece& piece) {
    const std::string name = name_of(piece);
    if (sees_outputs_ && name == outputs_name) {
      return;
    }
    if (std::find(fixed_names.begin(), fixed_names.end(), name) == fixed_names.end()) {
      complain(problem::severity::error, piece.text, "'" + piece.text + "' is an unknown name", fixed_hint(name));
    }
  }

  std::string fixed_hint(const std::string& name) const {
    if (name == outputs_name) {
      return "the prompt of an aggregator has it; elsewhere a step's result is {{state.NAME}}";
    }
    if (contains(inputs_, name)) {
      return "did you mean '{{inputs." + name + "}}'?";
    }
    if (contains(fields_, name)) {
      return "did you mean '{{state." + name + "}}'?";
    }
    std::vector<std::string> names{fixed_names.begin(), fixed_names.end()};
    for (const auto& input : inputs_) {
      names.push_back("inputs." + input);
    }
    for (const auto& field : fields_) {
      names.push_back("state." + field);
    }
    if (sees_outputs_) {
      names.emplace_back(outputs_name);
    }
    if (!element_.empty()) {
      names.push_back(element_);
    }
    const auto near = nearest_name(name, names);
    return near ? "did you mean '{{" + *near + "}}'?" : suggestion(name, names);
  }

  // Other tools' placeholders would reach the agent as they stand; that should not pass in silence.
  void check_foreign() {
    for (std::size_t at = prompt_.find('{'); at != std::string_view::npos; at = prompt_.find('{', at + 1)) {
      const std::size_t end = prompt_.find_first_of("{}\n", at + 1);
      const bool is_double = at > 0 && prompt_[at - 1] == '{';
      if (is_double || end == std::string_view::npos || prompt_[end] != '}') {
        continue;
      }
      const std::string name{prompt_.substr(at + 1, end - at - 1)};
      const auto parsed = parse_template("{{" + name + "}}");
      const bool is_name = parsed.faults.empty() && parsed.pieces.size() == 1;
      const bool is_ours = is_name && (name.starts_with("inputs.") || name.starts_with("state."));
      const bool is_variable = at > 0 && prompt_[at - 1] == '$';
      if (is_name && (is_variable || is_ours)) {
        offset_ = is_variable ? at - 1 : at;
        const std::string spelled{prompt_.substr(offset_, end + 1 - offset_)};
        complain(problem::severity::warning,
                 spelled,
                 "'" + spelled + "' is not a placeholder; it reaches the agent as it stands",
                 "a placeholder is written {{" + (is_ours ? name : "inputs.NAME") + "}}");
      }
    }
  }

  // The file may spell the prompt otherwise (escapes), so the place is found by counting equal texts before it.
  void complain(problem::severity weight, const std::string& spelled, const std::string& message, std::string hint) {
    int n = 0;
    for (std::size_t at = prompt_.find(spelled); at < offset_; at = prompt_.find(spelled, at + 1)) {
      ++n;
    }
    out_.in_text(weight, path_, spelled, n, message, std::move(hint));
  }

  const workflow& flow_;
  workflow_complaints& out_;
  bool any_field_;
  std::vector<std::string> fields_;
  std::vector<bool> behind_errors_;
  std::vector<std::string> inputs_;
  std::string element_;
  bool sees_error_ = false;
  bool sees_outputs_ = false;
  std::string path_;
  std::string_view prompt_;
  std::size_t offset_ = 0;  ///< In the prompt, of what is looked at.
};

}  // namespace

void check_templates(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  template_checker{flow, shape, out}.check();
}

}  // namespace troupe
