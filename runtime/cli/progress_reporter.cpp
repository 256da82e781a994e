#include "runtime/cli/progress_reporter.hpp"

#include "runtime/cli/event_line.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr milliseconds between_frames{100};

/// What goes without saying where each event is a line.
bool is_detail(event_kind kind) noexcept {
  return kind == event_kind::task_queued || kind == event_kind::superstep_committed;
}

}  // namespace

progress_reporter::progress_reporter(context& with) : with_(with) {
  const bool wanted = !with.options().quiet && with.err().is_terminal();
  const auto term = with.environment().find("TERM");
  const bool can = term != with.environment().end() && term->second != "dumb";
  if (wanted && can) {
    display_ = std::make_unique<live_display>(with.err());
  }
}

bool progress_reporter::tells_line_by_line() const {
  return display_ == nullptr && !with_.options().quiet && !with_.options().json;
}

void progress_reporter::tell(const run_news& news, event_seq since) {
  if (!news.log_lines.empty()) {
    suspend();
    std::ranges::for_each(news.log_lines, [&](const std::string& line) { with_.err().write(line); });
  }
  for (const event& each : news.events) {
    view_.apply(each);
    const bool told = each.seq > since && (with_.options().verbose || !is_detail(each.kind));
    if (told && tells_line_by_line()) {
      with_.err().line(event_line(each, 0, with_.err().look()));
    }
  }
  for (const task_progress& each : news.progress) {
    view_.apply(each);
  }
}

void progress_reporter::note(const std::string& text) {
  view_.note(text);
  if (display_ == nullptr) {
    with_.note(text);
  }
}

void progress_reporter::refresh(timestamp now) {
  if (now - drawn_ >= between_frames) {
    redraw(now);
  }
}

void progress_reporter::redraw(timestamp now) {
  if (display_ != nullptr) {
    display_->show(view_.lines(now, display_->size(), with_.err().look()));
    drawn_ = now;
  }
}

void progress_reporter::suspend() {
  if (display_ != nullptr) {
    display_->clear();
  }
}

void progress_reporter::finish(timestamp now) {
  if (display_ == nullptr) {
    return;
  }
  // On one and the same terminal the report says all of it again, and better.
  if (with_.out().is_terminal()) {
    display_->clear();
  } else {
    redraw(now);
    display_->leave();
  }
}

}  // namespace troupe
