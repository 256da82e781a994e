#include "runtime/cli/output_text.hpp"

#include "runtime/cli/printed_text.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/run_json.hpp"

namespace troupe {

std::string output_heading(const task_view& task, const style& look) {
  std::string text = "==> " + task.step.str() + '/' + task.agent.str();
  if (task.attempt.value() > 1) {
    text += ", attempt " + std::to_string(task.attempt.value());
  }
  if (task.state != task_state::completed) {
    text += ", " + std::string{to_string(task.state)};
  }
  return look.paint(ink::bold, text + " <==");
}

void write_bytes(output& to, const std::string& bytes) {
  if (to.is_terminal()) {
    to.write(printable_lines(bytes));
  } else {
    to.write(bytes);
  }
}

std::string output_json(const output_view& printed) {
  std::string object = task_json(printed.task);
  object.pop_back();
  const std::string more =
      object_writer{}.text("stdout", printed.standard_output).text("stderr", printed.standard_error).str();
  return object + ',' + more.substr(1);
}

}  // namespace troupe
