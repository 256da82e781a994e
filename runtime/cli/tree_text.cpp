#include "runtime/cli/tree_text.hpp"

#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/table.hpp"

namespace troupe {
namespace {

std::string state_of(const child_view& child, const style& look) {
  switch (child.state) {
    case child_state::running:
      return child.answers ? look.paint(ink::green, "running") : look.paint(ink::red, "silent");
    case child_state::stopping:
      return look.paint(ink::yellow, "stopping");
    case child_state::restarting:
      return look.paint(ink::yellow, "restarting");
    case child_state::ended:
      return look.paint(ink::dim, "ended");
  }
  return {};
}

std::string detail_of(const child_view& child) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (child.attempt != attempt_no{}) {
    add("attempt " + std::to_string(child.attempt.value()));
  }
  if (child.pid != 0) {
    add("pid " + std::to_string(child.pid));
  }
  if (!child.last_reason.empty()) {
    add("last ended by: " + printable(child.last_reason));
  }
  return text;
}

void add_rows(table& rows, std::span<const child_view> children, const std::string& indent, const style& look) {
  for (const auto& each : children) {
    rows.add({indent + printable(each.name),
              state_of(each, look),
              std::to_string(each.restarts),
              each.answers ? std::to_string(each.waiting) : std::string{},
              each.answers ? human_duration(each.age) : std::string{},
              detail_of(each)});
    add_rows(rows, each.children, indent + "  ", look);
  }
}

}  // namespace

std::string tree_text(std::span<const child_view> children, int width, const style& look) {
  table rows{{{.title = "ACTOR", .right = false, .shrinks = true},
              {.title = "STATE", .right = false, .shrinks = false},
              {.title = "RESTARTS", .right = true, .shrinks = false},
              {.title = "WAITING", .right = true, .shrinks = false},
              {.title = "AGE", .right = true, .shrinks = false},
              {.title = "", .right = false, .shrinks = true}}};
  add_rows(rows, children, "", look);
  return rows.text(width, look);
}

}  // namespace troupe
