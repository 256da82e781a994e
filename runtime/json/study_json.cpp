#include "runtime/json/study_json.hpp"

#include "runtime/json/error_json.hpp"
#include "runtime/json/json_writer.hpp"

namespace troupe {
namespace {

std::string mismatch_json(const replay_mismatch& found) {
  object_writer object;
  object.number("superstep", found.superstep.value()).text_or_null("step", found.step ? found.step->str() : "");
  object.text_or_null("task", found.task ? found.task->str() : "");
  object.number_or_null("attempt", found.attempt ? std::optional<std::int64_t>{found.attempt->value()} : std::nullopt);
  object.text("what", to_string(found.what)).text("message", found.message);
  object.text_or_null("expected", found.expected).text_or_null("actual", found.actual);
  return object.str();
}

std::string differences_json(const std::vector<json_difference>& all) {
  list_writer list;
  for (const auto& each : all) {
    object_writer object;
    object.text("pointer", each.pointer);
    if (each.left) {
      object.raw("left", *each.left);
    }
    if (each.right) {
      object.raw("right", *each.right);
    }
    list.raw(object.str());
  }
  return list.str();
}

std::string difference_json(const superstep_difference& found) {
  object_writer object;
  object.number("superstep", found.superstep.value()).text("what", to_string(found.what));
  object.text_or_null("step", found.step ? found.step->str() : "");
  object.text_or_null("agent", found.agent ? found.agent->str() : "");
  object.number_or_null("item", found.item);
  object.text("left", found.left).text("right", found.right);
  return object.str();
}

std::string side_json(const run_view& run) {
  object_writer object;
  object.text("run", run.run.str()).text("workflow", run.workflow).text("workflow_hash", run.workflow_hash);
  object.text("state", to_string(run.state)).number("supersteps", run.supersteps);
  object.text_or_null("parent", run.parent ? run.parent->str() : "");
  object.number_or_null("forked_at",
                        run.forked_at ? std::optional<std::int64_t>{run.forked_at->value()} : std::nullopt);
  return object.str();
}

}  // namespace

std::string replay_json(const replay_report& report) {
  list_writer list;
  for (const auto& found : report.mismatches) {
    list.raw(mismatch_json(found));
  }
  object_writer object;
  object.text("run", report.run.str()).boolean("equal", report.mismatches.empty());
  object.number("supersteps", report.supersteps).number("tasks", report.tasks).number("took_us", report.took.count());
  object.raw("mismatches", list.str());
  if (report.mismatches.empty()) {
    object.null("error");
  } else {
    const auto& first = report.mismatches.front();
    object.raw("error", error_json(error_of(first), {.run = report.run, .step = first.step}));
  }
  return object.str();
}

std::string comparison_json(const run_comparison& compared) {
  object_writer object;
  object.raw("left", side_json(compared.left)).raw("right", side_json(compared.right));
  object.boolean("equal", compared.is_equal()).boolean("workflow_differs", !compared.is_same_workflow());
  object.raw("inputs", differences_json(compared.inputs));
  object.number_or_null("shared_until",
                        compared.shared ? std::optional<std::int64_t>{compared.shared->value()} : std::nullopt);
  object.number("supersteps", compared.supersteps);
  if (compared.first) {
    object.raw("first", difference_json(*compared.first));
  } else {
    object.null("first");
  }
  if (compared.state_is_known) {
    object.raw("state", differences_json(compared.state));
  } else {
    object.null("state");
  }
  return object.str();
}

}  // namespace troupe
