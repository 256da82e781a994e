#include "runtime/os/process_reactor.hpp"

#include "runtime/os/child_process.hpp"
#include "runtime/os/custodian_client.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/start_meter.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::chrono::seconds stop_patience{2};
constexpr int progress_round_ms = 50;
constexpr int look_round_ms = 1'000;  // silent children, and a custodian that does not answer

// What a descriptor in the epoll set is; the handle is in the bits above.
enum class role : std::uint64_t { wake_up, custodian, input, output, errors, control };

constexpr std::uint64_t tag(process_handle handle, role is) { return (handle << 3U) | static_cast<std::uint64_t>(is); }

// Raises the soft limit of open files to the hard one; the former soft limit.
std::uint64_t raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return 0;
  }
  const std::uint64_t former = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return former;
}

}  // namespace

class process_reactor::loop {
 public:
  explicit loop(const process_reactor_options& options)
      : program_(find_custodian(options.custodian)),
        groups_(options.groups),
        mark_(options.mark),
        start_patience_(options.start_patience),
        open_files_(raise_open_files()),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    watch(wake_up_.get(), tag(0, role::wake_up), EPOLLIN);
    thread_ = std::thread{[this] { run(); }};
  }

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  ~loop() {
    post([this] { stop(); });
    thread_.join();
  }

  process_handle start(process_request what, process_listener listener) {
    const process_handle handle = next_.fetch_add(1);
    auto child = std::make_shared<child_process>(std::move(what), std::move(listener));
    post([this, handle, child] { begin_in_turn(handle, child); });
    return handle;
  }

  void command(process_handle which, custody::keeper_command what) {
    post([this, which, what] {
      if (const auto found = children_.find(which); found != children_.end()) {
        found->second->command(what);
      } else {
        drop_waiting(which);
      }
    });
  }

  std::int64_t custodian_pid() const noexcept { return custodian_pid_.load(); }

  starts_view starts() const {
    const std::scoped_lock lock{meter_guard_};
    return meter_.view();
  }

 private:
  using child_ptr = std::shared_ptr<child_process>;

  void post(std::function<void()> act) {
    {
      const std::scoped_lock lock{guard_};
      posted_.push_back(std::move(act));
    }
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_up_.get(), &one, sizeof one));
  }

  void watch(int descriptor, std::uint64_t data, std::uint32_t events, int operation = EPOLL_CTL_ADD) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    ::epoll_ctl(epoll_.get(), operation, descriptor, &event);
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "troupe-reactor");
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);  // SIGPIPE among them: a child that closes its stdin is no error
    std::array<epoll_event, 128> events{};
    while (!stopping_ || (!children_.empty() && std::chrono::steady_clock::now() < stop_deadline_)) {
      const int pause = children_.empty() ? -1 : look_round_ms;
      const int timeout = progress_waits_ || stopping_ ? progress_round_ms : pause;
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
      for (int i = 0; i < count; ++i) {
        handle(events.at(static_cast<std::size_t>(i)));
      }
      tell_progress();
      look_around();
    }
    custodian_.reset();
    for (auto& [handle, child] : std::exchange(children_, {})) {  // the custodian took longer than our patience
      child->abandon();
      child->tell_end();
    }
    while (carry_out_posted()) {  // starts that a callback asked for: refused
    }
  }

  void handle(const epoll_event& event) {
    const auto is = static_cast<role>(event.data.u64 & 7U);
    if (is == role::wake_up) {
      carry_out_posted();
    } else if (is == role::custodian) {
      serve_custodian(event.events);
    } else {
      serve_child(event.data.u64 >> 3U, is);
    }
  }

  // False if there was nothing to do.
  bool carry_out_posted() {
    std::uint64_t ignored = 0;
    static_cast<void>(::read(wake_up_.get(), &ignored, sizeof ignored));
    std::vector<std::function<void()>> acts;
    {
      const std::scoped_lock lock{guard_};
      acts.swap(posted_);
    }
    for (const auto& act : acts) {
      act();
    }
    if (custodian_) {
      flush_custodian();
    }
    return !acts.empty();
  }

  void serve_child(process_handle handle, role is) {
    const auto found = children_.find(handle);
    if (found == children_.end()) {
      return;
    }
    const auto child = found->second;
    if (is == role::input) {
      child->write_input();
    } else if (is == role::output) {
      child->read_output(buffer_);
    } else if (is == role::errors) {
      child->read_errors(buffer_);
    } else {
      const auto before = child->start();
      child->read_control();
      if (before == child_process::start_state::under_way) {
        measure(*child);
      }
    }
    settle(handle, child);
  }

  // After anything happened to a child.
  void settle(process_handle handle, const child_ptr& child) {
    if (child->wants_leftovers_killed()) {
      child->command(custody::keeper_command::kill);
    }
    if (child->is_over()) {
      children_.erase(handle);
      child->tell_end();
      start_next_of(child->request().key);
    }
    progress_waits_ = true;
  }

  void tell_progress() {
    if (!progress_waits_) {
      return;
    }
    progress_waits_ = false;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [handle, child] : children_) {
      progress_waits_ = child->tell_progress(now) || progress_waits_;
    }
  }

  void measure(const child_process& child) {
    const auto& [agent, group] = std::tie(child.request().agent, child.request().group);
    const auto now = std::chrono::steady_clock::now();
    const std::scoped_lock lock{meter_guard_};
    switch (child.start()) {
      case child_process::start_state::under_way:
        break;
      case child_process::start_state::succeeded:
        meter_.started(agent, group, child.asked_at(), now);
        break;
      case child_process::start_state::failed:
        meter_.failed(agent, group, now);
        break;
    }
  }

  void look_around() {
    const auto now = std::chrono::steady_clock::now();
    if (children_.empty() || now < next_look_) {
      return;
    }
    next_look_ = now + milliseconds{look_round_ms};
    bool is_overdue = false;
    for (const auto& [handle, child] : children_) {
      child->look_if_silent(now);
      is_overdue = is_overdue || (child->start() == child_process::start_state::under_way &&
                                  now - std::max(child->asked_at(), child->custodian()->heard) > start_patience_);
    }
    if (is_overdue && custodian_) {
      custodian_->kill();  // its end is seen as any other
    }
  }

  void begin_in_turn(process_handle handle, const child_ptr& child) {
    const auto& key = child->request().key;
    if (!key.empty()) {
      const auto [turn, is_free] = waiting_.try_emplace(key);
      if (!is_free) {
        turn->second.emplace_back(handle, child);
        return;
      }
    }
    if (!begin(handle, child)) {
      start_next_of(key);
    }
  }

  void start_next_of(const std::string& key) {
    const auto turn = waiting_.find(key);
    if (turn == waiting_.end()) {
      return;
    }
    while (!turn->second.empty()) {
      const auto [handle, child] = turn->second.front();
      turn->second.pop_front();
      if (begin(handle, child)) {
        return;
      }
    }
    waiting_.erase(turn);
  }

  void drop_waiting(process_handle handle) {
    for (auto& [key, queue] : waiting_) {
      const auto found = std::ranges::find(queue, handle, &waiting_start::first);
      if (found != queue.end()) {
        const auto child = found->second;
        queue.erase(found);
        child->fail({error_code::cancelled, "the process was stopped before it started", ""});
        child->tell_end();
        return;
      }
    }
  }

  static bool refuse(const child_ptr& child, const error& why) {
    child->fail(why);
    child->tell_end();
    return false;
  }

  // False if it ended without a start: then the next of its key has its turn.
  bool begin(process_handle handle, const child_ptr& child) {
    if (stopping_) {
      return refuse(child, {error_code::cancelled, "the runtime is shutting down; the process was not started", ""});
    }
    if (auto valid = child->check(); !valid) {
      return refuse(child, valid.error());
    }
    if (auto why = ensure_custodian()) {
      return refuse(child, *why);
    }
    auto ends = child->open();
    if (!ends) {
      return refuse(child, ends.error());
    }
    children_[handle] = child;
    entrust(*child);
    if (child->input() >= 0) {
      watch(child->input(), tag(handle, role::input), EPOLLOUT);
    }
    watch(child->output(), tag(handle, role::output), EPOLLIN);
    watch(child->errors(), tag(handle, role::errors), EPOLLIN);
    watch(child->control(), tag(handle, role::control), EPOLLIN);
    custodian_->order(child->request(), *std::move(ends));
    flush_custodian();
    return true;
  }

  void entrust(child_process& child) {
    const auto now = std::chrono::steady_clock::now();
    child.entrust(proof_, now);
    const std::scoped_lock lock{meter_guard_};
    meter_.asked(child.request().group, now);
  }

  std::optional<error> ensure_custodian() {
    if (custodian_) {
      return std::nullopt;
    }
    auto started = custodian_client::start(program_, open_files_, groups_, mark_);
    if (!started) {
      return started.error();
    }
    custodian_.emplace(*std::move(started));
    custodian_pid_ = custodian_->pid();
    proof_ = std::make_shared<custodian_proof>();
    proof_->program = program_;
    watch(custodian_->socket(), tag(0, role::custodian), EPOLLIN | EPOLLRDHUP);
    return std::nullopt;
  }

  void flush_custodian() {
    if (custodian_ && !custodian_->flush()) {
      lose_custodian();
    } else if (custodian_) {
      const std::uint32_t more = custodian_->has_more_to_send() ? EPOLLOUT : 0U;
      watch(custodian_->socket(), tag(0, role::custodian), EPOLLIN | EPOLLRDHUP | more, EPOLL_CTL_MOD);
    }
  }

  void serve_custodian(std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      lose_custodian();  // it says nothing: this is its end
    } else {
      flush_custodian();
    }
  }

  // Its keepers end their trees, and each child hears of it by its control socket. The next start starts another.
  void lose_custodian() {
    custodian_.reset();
    custodian_pid_ = 0;
  }

  void stop() {
    stopping_ = true;
    stop_deadline_ = std::chrono::steady_clock::now() + stop_patience;
    for (auto& [key, queue] : std::exchange(waiting_, {})) {
      for (const auto& [handle, child] : queue) {
        child->fail({error_code::cancelled, "the runtime is shutting down; the process was not started", ""});
        child->tell_end();
      }
    }
    for (const auto& [handle, child] : children_) {
      child->command(custody::keeper_command::kill);
    }
  }

  using waiting_start = std::pair<process_handle, child_ptr>;

  const std::string program_;
  const control_groups groups_;
  const std::string mark_;
  const milliseconds start_patience_;
  const std::uint64_t open_files_;
  file_descriptor epoll_;
  file_descriptor wake_up_;
  std::mutex guard_;
  std::vector<std::function<void()>> posted_;
  std::atomic<process_handle> next_{1};
  std::atomic<std::int64_t> custodian_pid_{0};

  mutable std::mutex meter_guard_;
  start_meter meter_;

  // Of the reactor's thread alone:
  std::optional<custodian_client> custodian_;
  std::shared_ptr<custodian_proof> proof_;  // of this custodian
  std::chrono::steady_clock::time_point next_look_;
  std::unordered_map<process_handle, child_ptr> children_;
  std::map<std::string, std::deque<waiting_start>> waiting_;  // a key is here while a process of it lives
  std::string buffer_ = std::string(64U << 10U, '\0');
  bool progress_waits_ = false;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_deadline_;

  std::thread thread_;
};

process_reactor::process_reactor(const process_reactor_options& options) : loop_(std::make_unique<loop>(options)) {}

process_reactor::~process_reactor() = default;

process_handle process_reactor::start(process_request what, process_listener listener) {
  return loop_->start(std::move(what), std::move(listener));
}

void process_reactor::terminate(process_handle which) { loop_->command(which, custody::keeper_command::terminate); }

void process_reactor::kill(process_handle which) { loop_->command(which, custody::keeper_command::kill); }

starts_view process_reactor::starts() const { return loop_->starts(); }

std::int64_t process_reactor::custodian_pid() const noexcept { return loop_->custodian_pid(); }

}  // namespace troupe
