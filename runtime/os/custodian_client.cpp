#include "runtime/os/custodian_client.hpp"

#include "runtime/os/custody_protocol.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

constexpr int end_patience_ms = 2'000;
constexpr const char* installed_path = "/usr/libexec/troupe/troupe-custodian";

error cannot_start(const std::string& program, int number) {
  // What is not there, or may not be started, is not there a second later either.
  const bool is_permanent = number == ENOENT || number == EACCES || number == ENOEXEC || number == ENOTDIR;
  return {is_permanent ? error_code::agent_not_found : error_code::internal,
          "the custodian " + program + " cannot be started: " + std::generic_category().message(number) +
              "; no agent can run",
          "troupe doctor tells where it is looked for; it belongs beside the troupe program, or its path is "
          "runtime.custodian"};
}

void append_text(std::vector<char>& bytes, const std::string& text) {
  bytes.insert(bytes.end(), text.c_str(), text.c_str() + text.size() + 1);
}

std::vector<char> frame_of(const process_request& what) {
  custody::start_header header;
  std::vector<char> bytes(sizeof header);
  append_text(bytes, what.working_directory);
  for (const auto& argument : what.argv) {
    append_text(bytes, argument);
  }
  for (const auto& entry : what.environment) {
    append_text(bytes, entry);
  }
  header.bytes = static_cast<std::uint32_t>(bytes.size() - sizeof header);
  header.arguments = static_cast<std::uint32_t>(what.argv.size());
  header.environment = static_cast<std::uint32_t>(what.environment.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// True when the process has ended.
bool wait_for_end(pid_t pid, int patience_ms) {
  const file_descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  pollfd ready{process.get(), POLLIN, 0};
  return process && ::poll(&ready, 1, patience_ms) == 1;
}

}  // namespace

custodian_client::custodian_client(pid_t pid, file_descriptor socket) noexcept
    : pid_(pid), socket_(std::move(socket)) {}

custodian_client::custodian_client(custodian_client&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)), outgoing_(std::move(other.outgoing_)) {}

custodian_client::~custodian_client() {
  if (pid_ <= 0) {
    return;
  }
  outgoing_.clear();
  socket_.reset();
  if (!wait_for_end(pid_, end_patience_ms)) {
    ::kill(pid_, SIGKILL);
  }
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void custodian_client::kill() const noexcept { ::kill(pid_, SIGKILL); }

result<custodian_client> custodian_client::start(const std::string& program,
                                                 std::uint64_t open_files,
                                                 control_groups groups,
                                                 std::string mark) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return cannot_start(program, errno);
  }
  file_descriptor ours{pair[0]};
  file_descriptor theirs{pair[1]};
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), custody::custodian_socket);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = program;
  std::string limit = std::to_string(open_files);
  std::string use = groups == control_groups::none ? "off" : "auto";
  char* const arguments[] = {name.data(), limit.data(), use.data(), nullptr};
  char* const environment[] = {mark.empty() ? nullptr : mark.data(), nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments, environment);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return cannot_start(program, failed);
  }
  return custodian_client{pid, std::move(ours)};
}

void custodian_client::order(const process_request& what, child_ends ends) {
  outgoing_.push_back({frame_of(what), std::move(ends)});
}

bool custodian_client::flush() {
  while (!outgoing_.empty()) {
    auto& next = outgoing_.front();
    iovec part{next.bytes.data() + next.sent, next.bytes.size() - next.sent};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const int descriptors[custody::descriptors_sent] = {
        next.ends.input.get(), next.ends.output.get(), next.ends.errors.get(), next.ends.control.get()};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof descriptors)] = {};
    if (next.sent == 0) {
      message.msg_control = space;
      message.msg_controllen = sizeof space;
      cmsghdr* const rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof descriptors);
      std::memcpy(CMSG_DATA(rights), descriptors, sizeof descriptors);
    }
    const auto sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      return errno == EAGAIN || errno == EINTR || errno == ETOOMANYREFS;
    }
    next.sent += static_cast<std::size_t>(sent);
    if (next.sent == next.bytes.size()) {
      outgoing_.pop_front();
    }
  }
  return true;
}

std::string find_custodian(const std::string& configured) {
  if (!configured.empty()) {
    return configured;
  }
  std::error_code unknown;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const auto beside = self.parent_path() / "troupe-custodian";
  return !unknown && std::filesystem::exists(beside, unknown) ? beside.string() : installed_path;
}

}  // namespace troupe
