// How a run goes, told on stderr: redrawn in place on a terminal, else a line for each event.
#pragma once

#include "runtime/cli/context.hpp"
#include "runtime/cli/live_display.hpp"
#include "runtime/cli/progress_view.hpp"
#include "runtime/cli/run_watch.hpp"

#include <memory>
#include <string>

namespace troupe {

class progress_reporter {
 public:
  explicit progress_reporter(context& with);

  /// `since`: events up to this one are known to the reader, and not told again line by line.
  void tell(const run_news& news, event_seq since);
  /// A word to the reader about what the program does; stays until the next one.
  void note(const std::string& text);
  /// To be called now and then; draws at most ten times a second.
  void refresh(timestamp now);
  void redraw(timestamp now);
  /// Gives the terminal back, until the next time it is drawn: for Ctrl-Z, and for lines of the log.
  void suspend();
  /// The run is over, and its report follows.
  void finish(timestamp now);

  bool is_live() const noexcept { return display_ != nullptr; }

 private:
  bool tells_line_by_line() const;

  context& with_;
  progress_view view_;
  std::unique_ptr<live_display> display_;
  timestamp drawn_;
};

}  // namespace troupe
