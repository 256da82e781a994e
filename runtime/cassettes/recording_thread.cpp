#include "runtime/cassettes/recording_thread.hpp"

#include "runtime/os/worker_thread.hpp"

#include <utility>

namespace troupe {

recording_thread::recording_thread(writer write) : write_(std::move(write)), thread_([this] { run(); }) {}

recording_thread::~recording_thread() {
  {
    const std::scoped_lock lock{guard_};
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void recording_thread::record(const attempt_order& order, const recorded_answer& answer) {
  entry next{{order.run, order.task.step, order.task.id, order.attempt}, {request_of(order), answer}};
  std::unique_lock lock{guard_};
  changed_.wait(lock, [&] { return waiting_.size() < waiting_max; });
  waiting_.push_back(std::move(next));
  lock.unlock();
  changed_.notify_all();
}

void recording_thread::run() {
  become_worker_thread("troupe-record");
  std::unique_lock lock{guard_};
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    changed_.notify_all();
    if (const auto written = write_(next.what); !written) {
      log_at(next.place, spdlog::level::err, "the answer is not recorded: {}", written.error().message);
    }
    lock.lock();
  }
}

}  // namespace troupe
