#include "runtime/os/custodian/keeper.hpp"

#include "runtime/os/control_group.hpp"
#include "runtime/os/custody_protocol.hpp"
#include "runtime/os/process_tree.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace troupe::custody {
namespace {

constexpr int group_patience_ms = 2'000;  // for the kernel to call a group empty whose last process we have reaped
constexpr int kill_round_ms = 20;         // between rounds where no SIGCHLD tells that one had an effect

struct failure {
  start_stage stage;
  int number;
};

void say(int control, const keeper_record& record) {
  while (::send(control, &record, sizeof record, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

const char* search_path_of(const start_order& order) {
  for (char* const entry : order.environment) {
    if (entry != nullptr && std::strncmp(entry, "PATH=", 5) == 0) {
      return entry + 5;
    }
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

// Where the program may be: made before the vfork, after which nothing may be allocated.
std::vector<std::string> candidates_of(const start_order& order) {
  const std::string_view program = order.arguments.front();
  if (program.empty() || program.find('/') != std::string_view::npos) {
    return {std::string{program}};
  }
  std::vector<std::string> paths;
  std::string_view folders = search_path_of(order);
  while (true) {
    const auto end = folders.find(':');
    const auto folder = folders.substr(0, end);
    paths.push_back((folder.empty() ? std::string{"."} : std::string{folder}) + '/' + std::string{program});
    if (end == std::string_view::npos) {
      return paths;
    }
    folders.remove_prefix(end + 1);
  }
}

void default_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    ::sigaction(number, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child of vfork, on the keeper's memory: calls the system and nothing else, and tells why it came back.
failure become_agent(const start_order& order,
                     const std::vector<std::string>& candidates,
                     int group,
                     volatile bool& in_group) {
  ::setpgid(0, 0);
  in_group = group >= 0 && ::write(group, "0", 1) == 1;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  default_signals();
  struct rlimit files {};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && order.open_files > 0) {
    files.rlim_cur = order.open_files < files.rlim_max ? order.open_files : files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  if (::dup2(order.input, 0) < 0 || ::dup2(order.output, 1) < 0 || ::dup2(order.errors, 2) < 0) {
    return {start_stage::fork, errno};
  }
  ::close_range(3, ~0U, 0);
  if (*order.working_directory != '\0' && ::chdir(order.working_directory) != 0) {
    return {start_stage::working_directory, errno};
  }
  int denied = 0;
  for (const auto& path : candidates) {
    ::execve(path.c_str(), order.arguments.data(), order.environment.data());
    if (errno == EACCES) {
      denied = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return {start_stage::program, errno};
    }
  }
  return {start_stage::program, denied != 0 ? denied : ENOENT};
}

class keeper {
 public:
  explicit keeper(const start_order& order)
      : control_(order.control),
        group_(control_group::make(order.control_group_home, control_group_name(::getpid()))) {}

  bool start(const start_order& order) {
    const auto candidates = candidates_of(order);
    volatile bool failed =
        false;                // written by the child, on our memory, before we go on; not members of a struct, whose
    volatile int number = 0;  // reads GCC 12 leaves out
    volatile start_stage stage = start_stage::fork;
    volatile bool in_group = false;
    const pid_t pid = ::vfork();
    if (pid == 0) {
      // NOLINTNEXTLINE(clang-analyzer-unix.Vfork): system calls only
      const failure why = become_agent(order, candidates, group_.entrance(), in_group);
      stage = why.stage;
      number = why.number;
      failed = true;
      ::_exit(127);
    }
    if (pid < 0) {
      number = errno;
      failed = true;
    }
    if (!in_group || failed) {
      leave_group(failed ? pid : 0);
    }
    for (const int descriptor : {order.input, order.output, order.errors}) {
      ::close(descriptor);
    }
    if (failed) {
      keeper_record record;
      record.kind = record_kind::start_failed;
      record.number = number;
      record.detail = static_cast<std::int32_t>(stage);
      say(control_, record);
      return false;
    }
    leader_ = pid;
    keeper_record record;
    record.pid = pid;
    record.start_time = start_time_of(pid);
    say(control_, record);
    return true;
  }

  void watch(int signals) {
    pollfd ready[2] = {{control_, POLLIN, 0}, {signals, POLLIN, 0}};
    while (reap()) {
      if (killing_) {
        group_.kill();
        kill_round(leader_, {});
      }
      if (::poll(ready, 2, killing_ ? kill_round_ms : -1) <= 0) {
        continue;
      }
      if (ready[0].revents != 0) {
        hear(ready[0]);
      }
      if (ready[1].revents != 0) {
        drain(signals);
      }
    }
    keeper_record record;
    record.kind = record_kind::gone;
    record.detail = group_becomes_empty() ? 0 : 1;
    record.cpu_us = cpu_us();
    say(control_, record);
    group_.remove();
  }

 private:
  // It was never used, or its only process is one that did not become the agent.
  void leave_group(pid_t failed) {
    if (group_ && failed > 0) {
      ::waitpid(failed, nullptr, 0);
    }
    group_.remove();
    group_ = {};
  }

  // Nobody who is not our descendant can be in it, unless somebody else has put it there.
  bool group_becomes_empty() const {
    for (int waited = 0; !group_.is_empty(); ++waited) {
      if (waited >= group_patience_ms) {
        return false;
      }
      group_.kill();
      ::poll(nullptr, 0, 1);
    }
    return true;
  }

  // False when no descendant is left.
  bool reap() {
    while (true) {
      int status = 0;
      struct rusage used {};
      const pid_t pid = ::wait4(-1, &status, WNOHANG, &used);
      if (pid == leader_ && pid > 0) {
        say_exit(status, used);
      } else if (pid <= 0) {
        return pid == 0 || errno != ECHILD;
      }
    }
  }

  void say_exit(int status, const struct rusage& used) const {
    keeper_record record;
    record.kind = record_kind::exited;
    record.detail = WIFSIGNALED(status) ? 1 : 0;
    record.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    record.cpu_us = cpu_us();
    record.rss_bytes_max = std::int64_t{used.ru_maxrss} * 1024;
    say(control_, record);
  }

  std::int64_t cpu_us() const {
    const auto counted = group_.cpu_us();
    return counted ? *counted : descendants_cpu_us();
  }

  void say_usage() const {
    keeper_record record;
    record.kind = record_kind::usage;
    record.cpu_us = cpu_us();
    say(control_, record);
  }

  void hear(pollfd& control) {
    char command = 0;
    const auto got = ::recv(control_, &command, 1, MSG_DONTWAIT);
    if (got == 1 && command == static_cast<char>(keeper_command::terminate)) {
      terminate_tree(leader_);
    } else if (got == 1 && command == static_cast<char>(keeper_command::look)) {
      say_usage();
    } else if (got == 1) {
      killing_ = true;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      killing_ = true;  // the runtime is gone
      control.fd = -1;
    }
  }

  void drain(int signals) {
    signalfd_siginfo signal{};
    while (::read(signals, &signal, sizeof signal) == sizeof signal) {
      killing_ = killing_ || signal.ssi_signo == SIGTERM;  // the custodian is gone, or asks for it
    }
  }

  int control_;
  control_group group_;
  pid_t leader_ = 0;
  bool killing_ = false;
};

int watched_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigaddset(&watched, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  ::signal(SIGTERM, SIG_DFL);  // an ignored signal would not reach the descriptor
  return ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

void keep(const start_order& order, int custodian_pid) {
  const int signals = watched_signals();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (signals >= 0 && ::getppid() == custodian_pid) {  // else it died before we asked to be told
    keeper self{order};
    if (self.start(order)) {
      self.watch(signals);
    }
  }
  ::_exit(0);
}

}  // namespace troupe::custody
