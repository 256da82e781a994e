// troupe-custodian: starts agents for a runtime, and makes sure that none of their processes outlives it.
//
// Small and single-threaded, so that starting a child costs the same beside a host of ten gigabytes. A subreaper: what
// a keeper loses when it is killed becomes our child, and is killed. Ends when the runtime's socket closes.
//
// Started by the runtime only (runtime/os/custodian_client.cpp): troupe-custodian OPEN_FILES auto|off, its socket as
// descriptor 3; `auto`: agents have control groups where these can be made.
#include "runtime/os/control_group.hpp"
#include "runtime/os/custodian/keeper.hpp"
#include "runtime/os/custody_protocol.hpp"
#include "runtime/os/process_tree.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace troupe::custody {
namespace {

constexpr int patience_ms = 700;  // for keepers to end their trees by themselves once the runtime is gone
constexpr int round_ms = 20;

bool receive_all(char* into, std::size_t bytes) {
  while (bytes > 0) {
    const auto got = ::recv(custodian_socket, into, bytes, MSG_WAITALL);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    into += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

void close_all(const int (&descriptors)[descriptors_sent]) {
  for (const int descriptor : descriptors) {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
}

// The header and the descriptors that come with its first byte.
bool receive_header(start_header& header, int (&descriptors)[descriptors_sent]) {
  iovec part{&header, sizeof header};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptors)];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t got = 0;
  do {
    got = ::recvmsg(custodian_socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const rights = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof descriptors)) {
    return false;
  }
  std::memcpy(descriptors, CMSG_DATA(rights), sizeof descriptors);
  return receive_all(reinterpret_cast<char*>(&header) + got, sizeof header - static_cast<std::size_t>(got));
}

// Points into the texts; false if they are not what the header says.
bool take_apart(start_order& order, const start_header& header) {
  if (order.texts.empty() || order.texts.back() != '\0' || header.arguments == 0) {
    return false;
  }
  char* at = order.texts.data();
  char* const end = at + order.texts.size();
  const auto next = [&]() -> char* {
    if (at >= end) {
      return nullptr;
    }
    char* const text = at;
    at += std::strlen(at) + 1;
    return text;
  };
  order.working_directory = next();
  for (std::uint32_t i = 0; i < header.arguments; ++i) {
    order.arguments.push_back(next());
  }
  for (std::uint32_t i = 0; i < header.environment; ++i) {
    order.environment.push_back(next());
  }
  const auto is_null = [](const char* text) { return text == nullptr; };
  if (std::any_of(order.arguments.begin(), order.arguments.end(), is_null) ||
      std::any_of(order.environment.begin(), order.environment.end(), is_null)) {
    return false;
  }
  order.arguments.push_back(nullptr);
  order.environment.push_back(nullptr);
  return true;
}

class custodian {
 public:
  custodian(int signals, rlim_t open_files, std::string control_groups)
      : signals_(signals), open_files_(open_files), control_groups_(std::move(control_groups)), pid_(::getpid()) {
    sweep_control_groups(control_groups_);
  }

  void serve() {
    pollfd ready[2] = {{custodian_socket, POLLIN, 0}, {signals_, POLLIN, 0}};
    while (true) {
      if (::poll(ready, 2, -1) < 0 && errno != EINTR) {
        return;
      }
      if (ready[1].revents != 0) {
        drain();
        reap();
      }
      if (ready[0].revents != 0 && !start_next()) {
        return;
      }
    }
  }

  // The runtime is gone. The keepers see it by their control sockets; whoever is left after a while is killed.
  void end_all() {
    ::close(custodian_socket);
    for (int waited = 0; reap(); waited += round_ms) {
      if (waited >= patience_ms) {
        kill_round(0, {});
      }
      pollfd ready{signals_, POLLIN, 0};
      ::poll(&ready, 1, round_ms);
      drain();
    }
  }

 private:
  bool start_next() {
    start_header header;
    int descriptors[descriptors_sent] = {-1, -1, -1, -1};
    start_order order;
    bool whole = receive_header(header, descriptors) && header.bytes <= bytes_max;
    if (whole) {
      order.texts.resize(header.bytes);
      whole = receive_all(order.texts.data(), order.texts.size());
    }
    if (whole && take_apart(order, header)) {
      order.input = descriptors[0];
      order.output = descriptors[1];
      order.errors = descriptors[2];
      order.control = descriptors[3];
      order.open_files = open_files_;
      order.control_group_home = control_groups_.c_str();
      fork_keeper(order);
    }
    close_all(descriptors);
    return whole;
  }

  void fork_keeper(const start_order& order) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(custodian_socket);
      ::close(signals_);
      keep(order, pid_);
    }
    if (pid > 0) {
      keepers_.push_back(pid);
      return;
    }
    keeper_record record;
    record.kind = record_kind::start_failed;
    record.number = errno;
    record.detail = static_cast<std::int32_t>(start_stage::fork);
    ::send(order.control, &record, sizeof record, MSG_NOSIGNAL);
  }

  // False when no child is left.
  bool reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) {
        clear_groups();
        return pid == 0 || errno != ECHILD;
      }
      const auto known = std::find(keepers_.begin(), keepers_.end(), pid);
      const bool ended_well = known != keepers_.end() && WIFEXITED(status);
      if (known != keepers_.end()) {
        keepers_.erase(known);
      }
      if (!ended_well) {
        kill_round(0, keepers_);  // what a killed keeper kept is our child now
      }
      if (!ended_well && !control_groups_.empty()) {
        abandoned_.push_back(control_group::existing(control_groups_, control_group_name(pid)));
        abandoned_.back().kill();
      }
    }
  }

  // Of killed keepers: as soon as nobody is left in them.
  void clear_groups() {
    std::erase_if(abandoned_, [](control_group& group) { return group.remove(); });
  }

  void drain() const {
    signalfd_siginfo signal{};
    while (::read(signals_, &signal, sizeof signal) == sizeof signal) {
    }
  }

  int signals_;
  rlim_t open_files_;
  const std::string control_groups_;  // where they are made; empty: nowhere
  pid_t pid_;
  std::vector<pid_t> keepers_;
  std::vector<control_group> abandoned_;
};

// Of its host it keeps nothing but the socket: no terminal, no descriptors, no signals meant for the foreground.
int detach() {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) {
    ::dup2(nothing, standard);
  }
  ::close_range(custodian_socket + 1, ~0U, 0);
  ::fcntl(custodian_socket, F_SETFD, FD_CLOEXEC);
  for (const int ignored : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM}) {
    ::signal(ignored, SIG_IGN);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "troupe-custody");
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &watched, nullptr);
  return ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

std::string home_of_groups(const char* use) {
  const pid_t self = ::getpid();
  return std::strcmp(use, "auto") == 0 ? control_group_home(proc_text(self, "mountinfo"), proc_text(self, "cgroup"))
                                       : std::string{};
}

}  // namespace
}  // namespace troupe::custody

int main(int argc, char** argv) {
  if (argc != 3) {
    constexpr char text[] = "troupe-custodian is started by troupe, not by hand\n";
    return ::write(2, text, sizeof text - 1) < 0 ? 3 : 2;
  }
  const int signals = troupe::custody::detach();
  if (signals < 0) {
    return 3;
  }
  troupe::custody::custodian custodian{
      signals, std::strtoull(argv[1], nullptr, 10), troupe::custody::home_of_groups(argv[2])};
  custodian.serve();
  custodian.end_all();
  return 0;
}
