#include "runtime/os/child_process.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds progress_pause{50};
constexpr milliseconds silence_min{1'000};
constexpr milliseconds look_pause_max{10'000};
constexpr int look_part = 10;  // of the silence: how old the figures get before the next look

timestamp time_of_day_now() {
  return std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now());
}

// Both ends close-on-exec; ours does not block.
bool open_pipe(file_descriptor& reads, file_descriptor& writes, bool we_read) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  ::fcntl(ends[we_read ? 0 : 1], F_SETFL, O_NONBLOCK);
  reads = file_descriptor{ends[0]};
  writes = file_descriptor{ends[1]};
  return true;
}

bool holds_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

error no_descriptors(int number) {
  return {error_code::internal,
          "the pipes of a child cannot be opened: " + std::generic_category().message(number),
          "lower limits.max_concurrent, or raise the limit of open files (ulimit -n)"};
}

}  // namespace

child_process::child_process(process_request what, process_listener listener)
    : request_(std::move(what)), listener_(std::move(listener)) {}

status child_process::check() const {
  const auto& argv = request_.argv;
  if (argv.empty()) {
    return error{error_code::invalid_input, "the agent has no program", "look at command of the agent"};
  }
  if (holds_nul(request_.working_directory) || std::ranges::any_of(argv, holds_nul) ||
      std::ranges::any_of(request_.environment, holds_nul)) {
    return error{error_code::invalid_input,
                 "arguments, variables and folder of '" + argv.front() + "' cannot hold a NUL",
                 "set prompt = \"stdin\" or \"file\" for this agent"};
  }
  std::size_t bytes = request_.working_directory.size() + 1;
  for (const auto* texts : {&argv, &request_.environment}) {
    for (const auto& text : *texts) {
      bytes += text.size() + 1;
    }
  }
  return bytes > custody::bytes_max ? status{too_large()} : status{done};
}

error child_process::too_large() const {
  return {error_code::invalid_input,
          "arguments and environment of '" + request_.argv.front() + "' are larger than the system takes",
          "set prompt = \"stdin\" or \"file\" for this agent"};
}

result<child_ends> child_process::open() {
  child_ends theirs;
  int sockets[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return no_descriptors(errno);
  }
  control_ = file_descriptor{sockets[0]};
  theirs.control = file_descriptor{sockets[1]};
  ::fcntl(control_.get(), F_SETFL, O_NONBLOCK);
  if (!open_pipe(theirs.input, input_, false) || !open_pipe(output_, theirs.output, true) ||
      !open_pipe(errors_, theirs.errors, true)) {
    const int number = errno;
    input_.reset();
    output_.reset();
    errors_.reset();
    control_.reset();
    return no_descriptors(number);
  }
  write_input();
  return theirs;
}

void child_process::write_input() {
  const std::size_t all = request_.standard_input ? request_.standard_input->size() : 0;
  while (input_ && input_written_ < all) {
    const auto written = ::write(input_.get(), request_.standard_input->data() + input_written_, all - input_written_);
    if (written < 0 && errno == EAGAIN) {
      return;
    }
    if (written < 0 && errno != EINTR) {
      break;  // EPIPE: it does not want to know more, which is no error of its own
    }
    input_written_ += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  input_.reset();
  request_.standard_input.reset();
}

void child_process::read_output(std::string& buffer) { read(output_, printed_, buffer); }

void child_process::read_errors(std::string& buffer) { read(errors_, complained_, buffer); }

// One buffer at a time: no child keeps the others waiting.
void child_process::read(file_descriptor& from, stream& into, std::string& buffer) {
  const auto got = ::read(from.get(), buffer.data(), buffer.size());
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      from.reset();
    }
    return;
  }
  const std::string_view bytes{buffer.data(), static_cast<std::size_t>(got)};
  last_byte_at_ = std::chrono::steady_clock::now();
  end_.last_output_at = time_of_day_now();
  end_.first_output_at = end_.first_output_at ? end_.first_output_at : end_.last_output_at;
  into.bytes += got;
  into.kept.append(bytes.substr(0, request_.output_limit - into.kept.size()));
  if (into.lines.take(bytes)) {
    newest_lines_ = &into.lines;
  }
  progress_is_new_ = true;
  if (into.bytes > static_cast<std::int64_t>(into.kept.size()) && !std::exchange(limit_told_, true) &&
      listener_.output_limit_reached) {
    listener_.output_limit_reached();
  }
}

void child_process::read_control() {
  while (control_) {
    custody::keeper_record record;
    const auto got = ::recv(control_.get(), &record, sizeof record, 0);
    if (got == static_cast<ssize_t>(sizeof record)) {
      take(record);
    } else if (got < 0 && (errno == EINTR || errno == ECONNRESET)) {
      continue;  // reset: the keeper left a command of ours unread, and its last records are still to come
    } else if (got < 0 && errno == EAGAIN) {
      return;
    } else {
      control_.reset();
      if (!gone_) {
        lose();
      }
    }
  }
}

void child_process::entrust(std::shared_ptr<custodian_proof> to, time now) {
  custodian_ = std::move(to);
  asked_at_ = now;
}

// Interrupted, if its custodian is one; a program that has never started anything would interrupt every attempt.
void child_process::lose() {
  if (start_ == start_state::under_way && custodian_ && !custodian_->given) {
    fail({error_code::internal,
          "the custodian " + custodian_->program +
              " ended, or did not answer, before it had started anything; "
              "no agent can run",
          "runtime.custodian names the program troupe-custodian; troupe doctor tries it"});
    return;
  }
  end_.custodian_lost = true;
  end_.tree_gone = false;
  drain_and_close();
}

void child_process::look_if_silent(time now) {
  if (start_ != start_state::succeeded || has_exited_) {
    return;
  }
  const auto silent = now - std::max(started_at_, last_byte_at_);
  const auto pause = std::clamp<time::duration>(silent / look_part, silence_min, look_pause_max);
  if (silent >= silence_min && now - look_asked_at_ >= pause) {
    look_asked_at_ = now;
    command(custody::keeper_command::look);
  }
}

void child_process::tell_silence(std::chrono::microseconds cpu_time, time now) {
  const auto to_ms = [](time::duration length) { return std::chrono::duration_cast<milliseconds>(length); };
  const process_silence seen{to_ms(now - std::max(started_at_, last_byte_at_)),
                             cpu_time,
                             std::max(cpu_time - cpu_looked_at_, std::chrono::microseconds{0}),
                             to_ms(now - looked_at_)};
  looked_at_ = now;
  cpu_looked_at_ = cpu_time;
  if (seen.length >= silence_min && listener_.silent) {
    listener_.silent(seen);
  }
}

void child_process::take(const custody::keeper_record& record) {
  const auto now = std::chrono::steady_clock::now();
  if (custodian_) {
    custodian_->given = true;
    custodian_->heard = now;
  }
  switch (record.kind) {
    case custody::record_kind::started:
      start_ = start_state::succeeded;
      started_at_ = looked_at_ = now;
      if (listener_.started) {
        listener_.started({record.pid, record.start_time});
      }
      break;
    case custody::record_kind::start_failed:
      fail(start_failure(record));
      break;
    case custody::record_kind::usage:
      tell_silence(std::chrono::microseconds{record.cpu_us}, now);
      break;
    case custody::record_kind::exited:
      has_exited_ = true;
      (record.detail == 1 ? end_.exit.signal : end_.exit.exit_code) = record.number;
      end_.usage = {std::chrono::microseconds{record.cpu_us}, record.rss_bytes_max};
      if (listener_.exited) {
        listener_.exited(end_.exit);
      }
      break;
    case custody::record_kind::gone:
      gone_ = true;
      end_.tree_gone = record.detail == 0;
      end_.usage.cpu_time = std::max(end_.usage.cpu_time, std::chrono::microseconds{record.cpu_us});
      drain_and_close();
      break;
  }
}

void child_process::fail(error why) {
  start_ = start_ == start_state::under_way ? start_state::failed : start_;
  has_exited_ = true;
  gone_ = true;
  end_.exit.start_failure = std::move(why);
  drain_and_close();
}

void child_process::abandon() {
  read_control();
  if (is_over()) {
    return;
  }
  if (start_ == start_state::under_way) {
    fail({error_code::internal, "the runtime ended before the process", ""});
  } else {
    lose();
  }
}

// Nobody of the tree can write any more: what is in the pipes is all there will be.
void child_process::drain_and_close() {
  std::string buffer(64U << 10U, '\0');
  for (auto* from : {&output_, &errors_}) {
    auto& into = from == &output_ ? printed_ : complained_;
    for (auto before = into.bytes - 1; *from && into.bytes != before;) {
      before = into.bytes;
      read(*from, into, buffer);
    }
    from->reset();
  }
  input_.reset();
  control_.reset();
}

void child_process::command(custody::keeper_command what) {
  if (control_) {
    kill_sent_ = kill_sent_ || what == custody::keeper_command::kill;
    const char byte = static_cast<char>(what);
    static_cast<void>(::send(control_.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
  }
}

bool child_process::wants_leftovers_killed() const noexcept {
  return has_exited_ && !output_ && !errors_ && control_ && !kill_sent_;
}

bool child_process::is_over() const noexcept { return !control_ && !output_ && !errors_; }

void child_process::tell_end() {
  end_.standard_output = std::move(printed_.kept);
  end_.standard_error = std::move(complained_.kept);
  end_.standard_output_bytes = printed_.bytes;
  end_.standard_error_bytes = complained_.bytes;
  if (listener_.ended) {
    listener_.ended(std::move(end_));
  }
}

bool child_process::tell_progress(time now) {
  if (!progress_is_new_) {
    return false;
  }
  if (now - progress_told_ < progress_pause) {
    return true;
  }
  progress_is_new_ = false;
  progress_told_ = now;
  if (listener_.progress) {
    listener_.progress(newest_lines_->newest(), printed_.bytes + complained_.bytes);
  }
  return false;
}

error child_process::start_failure(const custody::keeper_record& record) const {
  const auto& program = request_.argv.front();
  const auto words = std::generic_category().message(record.number);
  if (record.detail == static_cast<int>(custody::start_stage::working_directory)) {
    return {error_code::agent_not_found,
            "the working directory " + request_.working_directory + " cannot be entered: " + words,
            "look at cwd of the agent"};
  }
  if (record.detail == static_cast<int>(custody::start_stage::fork)) {
    return {error_code::internal, "no process can be started for " + program + ": " + words, "look at ulimit -u"};
  }
  const bool by_path = program.find('/') != std::string::npos;
  switch (record.number) {
    case ENOENT:
      return {
          error_code::agent_not_found,
          "there is no program '" + program + "'" + (by_path ? ", or the interpreter it names" : " in PATH"),
          by_path ? "look at command of the agent" : "install it, or pass PATH to the agent: pass_env = [\"PATH\"]"};
    case EACCES:
      return {error_code::agent_not_found, "'" + program + "' may not be executed", "chmod +x it, or look at command"};
    case ENOEXEC:
      return {error_code::agent_not_found,
              "'" + program + "' is no program that this system executes, and its first line names no interpreter",
              "start it with a line like #!/bin/sh, or name the interpreter first in command"};
    case E2BIG:
      return too_large();
    default:
      return {error_code::internal, "'" + program + "' cannot be executed: " + words, "look at command of the agent"};
  }
}

}  // namespace troupe
