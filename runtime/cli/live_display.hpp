// Lines at the foot of a terminal that are redrawn in place: only those that changed, in one write, so that nothing
// flickers. What other programs printed above stays.
#pragma once

#include "runtime/cli/context.hpp"
#include "runtime/cli/progress_view.hpp"

#include <string>
#include <vector>

namespace troupe {

/// One thread. The cursor is hidden while it lives, and shown again at its end.
class live_display {
 public:
  explicit live_display(output& terminal);
  live_display(const live_display&) = delete;
  live_display& operator=(const live_display&) = delete;
  ~live_display();

  /// Of the window now.
  view_size size() const noexcept;

  /// Each line is narrower than the window.
  void show(const std::vector<std::string>& lines);
  /// Takes the lines away; the next show() begins where they stood.
  void clear();
  /// Leaves the lines where they are and gives the cursor back, until the next show(), which begins below them.
  void leave();

 private:
  std::string back_to_top(int columns) const;

  output& terminal_;
  std::vector<std::string> shown_;
  int columns_ = 0;
  bool cursor_hidden_ = false;
};

}  // namespace troupe
