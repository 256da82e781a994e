// troupe graph
#include "config/workflow_file.hpp"
#include "config/workflow_graph.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/graph_marks.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

namespace troupe {
namespace {

struct graph_options {
  std::string what;
  std::optional<std::string> format;
};

/// A path is one that has the look of it, or is there.
bool is_file(const std::string& what) {
  std::error_code unknown;
  return what.ends_with(".toml") || what.find('/') != std::string::npos || std::filesystem::exists(what, unknown);
}

/// A workflow, and how far a run is with it where one was named.
struct subject_of_drawing {
  loaded_workflow loaded;
  std::optional<step_marks> marks;
};

result<subject_of_drawing> subject_of_run(context& with, const std::string& text) {
  auto stored = open_stored(*with.settings());
  if (!stored) {
    return stored.error();
  }
  const auto run = find_run_id(**stored, text);
  if (!run) {
    return run.error();
  }
  const auto recovery = (*stored)->load_recovery(*run);
  if (!recovery) {
    return recovery.error();
  }
  const auto tasks = (*stored)->list_tasks(*run);
  if (!tasks) {
    return tasks.error();
  }
  subject_of_drawing subject{parse_workflow(recovery->workflow_source, recovery->run.workflow, ""), std::nullopt};
  if (subject.loaded.flow != nullptr) {
    subject.marks = marks_of(*subject.loaded.flow, *recovery, *tasks);
  }
  return subject;
}

exit_code draw(context& with, const workflow& flow, const step_marks* marks, const std::string& format) {
  const std::string drawing = format == "dot" ? to_dot(flow, marks) : to_mermaid(flow, marks);
  if (with.options().json) {
    with.print_json(object_writer{}.text("workflow", flow.name).text("format", format).text("graph", drawing).str());
  } else {
    with.out().write(drawing.ends_with('\n') ? drawing : drawing + '\n');
  }
  return exit_code::completed;
}

exit_code graph(context& with, const graph_options& options) {
  if (const auto refused = is_file(options.what) ? with.load_without_database() : with.load()) {
    return refuse(with, *refused);
  }
  const auto subject = is_file(options.what)
                           ? result<subject_of_drawing>{subject_of_drawing{load_workflow(options.what), std::nullopt}}
                           : subject_of_run(with, options.what);
  if (!subject) {
    return refuse(with, subject.error());
  }
  const auto& loaded = subject->loaded;
  if (loaded.flow == nullptr) {
    const error unknown{.code = error_code::invalid_workflow, .message = "the workflow cannot be read", .hint = {}};
    return refuse(
        with,
        refusal{.what = first_error(loaded.problems).value_or(unknown), .where = {}, .problems = loaded.problems});
  }
  const auto* marks = subject->marks ? &*subject->marks : nullptr;
  return draw(with, *loaded.flow, marks, options.format.value_or("mermaid"));
}

}  // namespace

void add_graph(command_tree& tree) {
  auto options = std::make_shared<graph_options>();
  CLI::App& command = tree.add(tree.root(),
                               {.name = "graph",
                                .summary = "draw a workflow, from its file or as a run has it",
                                .details = "Of a run, each step shows its state: completed, running, waiting, failed, "
                                           "cancelled, or not reached (dashed).",
                                .examples = {"troupe graph review.toml",
                                             "troupe graph review.toml --format dot | dot -Tsvg > review.svg",
                                             "troupe graph last"}});
  command.add_option("WORKFLOW|RUN", options->what, "workflow file, id of a run, or 'last'")
      ->required()
      ->type_name(value_kind::workflow);
  add_choice(command, "--format", options->format, {"mermaid", "dot"}, "language of the drawing [mermaid]");
  tree.on(command, [options](context& with) { return graph(with, *options); });
}

}  // namespace troupe
