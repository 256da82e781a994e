#include "runtime/cli/run_watch.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

run_listener run_watch::listener() {
  run_listener made;
  made.events = [self = shared_from_this()](const event_batch& events) { self->add(events); };
  made.progress = [self = shared_from_this()](const task_progress& progress) { self->add(progress); };
  made.stopped = [self = shared_from_this()](const error& why) { self->add(why); };
  return made;
}

void run_watch::log(std::string_view line) {
  {
    const std::scoped_lock lock{guard_};
    news_.log_lines.emplace_back(line);
  }
  waiting_.wake();
}

run_news run_watch::take() {
  const std::scoped_lock lock{guard_};
  return std::exchange(news_, {});
}

void run_watch::add(const event_batch& events) {
  {
    const std::scoped_lock lock{guard_};
    news_.events.insert(news_.events.end(), events.begin(), events.end());
  }
  waiting_.wake();
}

void run_watch::add(const task_progress& progress) {
  {
    const std::scoped_lock lock{guard_};
    const auto same = std::ranges::find(news_.progress, progress.task, &task_progress::task);
    if (same != news_.progress.end()) {
      *same = progress;
    } else {
      news_.progress.push_back(progress);
    }
  }
  waiting_.wake();
}

void run_watch::add(const error& why) {
  {
    const std::scoped_lock lock{guard_};
    news_.stopped = why;
  }
  waiting_.wake();
}

}  // namespace troupe
