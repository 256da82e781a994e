#include "runtime/cli/live_display.hpp"

#include "runtime/cli/printed_text.hpp"
#include "runtime/os/terminal.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

// ECMA-48, DEC private modes 25 (cursor) and 2026 (synchronised output; terminals without it ignore it).
constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view begin_update = "\x1b[?2026h";
constexpr std::string_view end_update = "\x1b[?2026l";
constexpr std::string_view erase_below = "\x1b[J";
constexpr std::string_view erase_to_right = "\x1b[K";

std::string up(int rows) { return rows > 0 ? "\x1b[" + std::to_string(rows) + 'A' : std::string{}; }

}  // namespace

live_display::live_display(output& terminal) : terminal_(terminal) {}

live_display::~live_display() { leave(); }

view_size live_display::size() const noexcept {
  const auto window = size_of_terminal(terminal_.descriptor());
  return window ? view_size{.columns = window->columns, .rows = window->rows} : view_size{};
}

/// A window that became narrower has broken the lines that were too long for it.
std::string live_display::back_to_top(int columns) const {
  int rows = 0;
  for (const std::string& line : shown_) {
    rows += 1 + std::max(printed_width(line) - 1, 0) / std::max(columns, 1);
  }
  return '\r' + up(rows);
}

void live_display::show(const std::vector<std::string>& lines) {
  const int columns = size().columns;
  const bool moved = columns != columns_;
  if (!moved && lines == shown_) {
    return;
  }
  std::string text{begin_update};
  text += std::exchange(cursor_hidden_, true) ? std::string_view{} : hide_cursor;
  text += back_to_top(columns);
  text += moved ? erase_below : std::string_view{};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool same = !moved && i < shown_.size() && shown_[i] == lines[i];
    text += same ? std::string{"\n"} : lines[i] + std::string{erase_to_right} + '\n';
  }
  text += lines.size() < shown_.size() ? erase_below : std::string_view{};
  text += end_update;
  terminal_.write(text);
  shown_ = lines;
  columns_ = columns;
}

void live_display::clear() {
  if (!shown_.empty()) {
    terminal_.write(back_to_top(size().columns) + std::string{erase_below});
    shown_.clear();
  }
  leave();
}

void live_display::leave() {
  shown_.clear();
  if (std::exchange(cursor_hidden_, false)) {
    terminal_.write(show_cursor);
  }
}

}  // namespace troupe
