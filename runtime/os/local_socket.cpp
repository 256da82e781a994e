#include "runtime/os/local_socket.hpp"

#include "runtime/os/file_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int backlog = 16;

error unavailable(const std::string& what, const fs::path& path, int number) {
  return {error_code::storage_unavailable,
          what + " (" + std::generic_category().message(number) + "): " + path.string(),
          "look at the folder: its file system must know sockets, and its mode must let you in"};
}

// An address for `path`, and the folder that it leads through, where the path is too long; it stays open meanwhile.
struct address {
  sockaddr_un where{};
  file_descriptor folder;
};

std::optional<address> address_of(const fs::path& path) {
  address made;
  made.where.sun_family = AF_UNIX;
  std::string name = path.string();
  if (name.size() >= sizeof made.where.sun_path) {
    const auto parent = path.parent_path();
    made.folder = file_descriptor{::open(parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    name = "/proc/self/fd/" + std::to_string(made.folder.get()) + '/' + path.filename().string();
    if (!made.folder || name.size() >= sizeof made.where.sun_path) {
      return std::nullopt;
    }
  }
  std::memcpy(made.where.sun_path, name.c_str(), name.size() + 1);
  return made;
}

const sockaddr* generic(const sockaddr_un& where) { return reinterpret_cast<const sockaddr*>(&where); }

void limit_waits(int socket, milliseconds patience) {
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(patience.count() / 1'000);
  limit.tv_usec = static_cast<suseconds_t>(patience.count() % 1'000 * 1'000);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

bool may_ask(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == ::geteuid() || peer.uid == 0);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Bytes that were taken; 0 at the end, -1 for an error or when the wait is over.
ssize_t receive_some(int socket, std::string& into) {
  std::array<char, 16'384> buffer;
  ssize_t taken = 0;
  do {
    taken = ::recv(socket, buffer.data(), buffer.size(), 0);
  } while (taken < 0 && errno == EINTR);
  if (taken > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(taken));
  }
  return taken;
}

// One question, one answer. A peer that dribbles is cut off all the same.
void serve(int socket, const local_server::answerer& answer) {
  limit_waits(socket, local_server::patience);
  const auto deadline = steady_clock::now() + local_server::patience;
  std::string question;
  while (question.size() <= local_server::question_bytes_max && steady_clock::now() < deadline) {
    if (receive_some(socket, question) <= 0) {
      return;
    }
    if (const auto reply = answer(question)) {
      send_all(socket, *reply);
      return;
    }
  }
}

}  // namespace

class local_server::loop {
 public:
  loop(fs::path path, file_descriptor listener, answerer answer)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        stop_(::eventfd(0, EFD_CLOEXEC)),
        answer_(std::move(answer)) {
    for (auto& thread : threads_) {
      thread = std::thread{[this] { run(); }};
    }
  }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  ~loop() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto told = ::write(stop_.get(), &one, sizeof one);
    for (auto& thread : threads_) {
      thread.join();
    }
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

 private:
  // All wait for the next peer, and one of them gets it. The word to stop is never taken out, so that each finds it.
  void run() {
    std::array<pollfd, 2> watched{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    for (;;) {
      if (::poll(watched.data(), watched.size(), -1) < 0) {
        if (errno == EINTR) {
          continue;
        }
        return;
      }
      if ((watched[1].revents & POLLIN) != 0) {
        return;
      }
      const file_descriptor peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (peer && may_ask(peer.get())) {
        serve(peer.get(), answer_);
      }
    }
  }

  fs::path path_;
  file_descriptor listener_;
  file_descriptor stop_;
  answerer answer_;
  std::array<std::thread, answers_at_once> threads_;
};

local_server::local_server(std::unique_ptr<loop> inner) : loop_(std::move(inner)) {}

local_server::~local_server() = default;

result<std::unique_ptr<local_server>> local_server::listen(const fs::path& path, answerer answer) {
  file_descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto where = address_of(path);
  if (!listener || !where) {
    return unavailable("no control socket can be made", path, listener ? ENAMETOOLONG : errno);
  }
  std::error_code ignored;
  fs::remove(path, ignored);
  // Linux makes the file with the mode of the socket: there is no moment in which others could connect.
  const bool listens = ::fchmod(listener.get(), S_IRUSR | S_IWUSR) == 0 &&
                       ::bind(listener.get(), generic(where->where), sizeof where->where) == 0 &&
                       ::listen(listener.get(), backlog) == 0;
  if (!listens) {
    return unavailable("no control socket can be made", path, errno);
  }
  auto inner = std::make_unique<loop>(path, std::move(listener), std::move(answer));
  return std::unique_ptr<local_server>{new local_server{std::move(inner)}};
}

result<std::string> ask_locally(const fs::path& path, std::string_view question, milliseconds patience) {
  const file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto where = address_of(path);
  if (!socket || !where) {
    return unavailable("the control socket cannot be asked", path, socket ? ENAMETOOLONG : errno);
  }
  limit_waits(socket.get(), patience);
  if (::connect(socket.get(), generic(where->where), sizeof where->where) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return error{error_code::not_found, "nobody answers at " + path.string(), ""};
    }
    return unavailable("the control socket cannot be asked", path, errno);
  }
  std::string answer;
  const auto deadline = steady_clock::now() + patience;
  if (send_all(socket.get(), question)) {
    for (ssize_t taken = 1; taken > 0 && steady_clock::now() < deadline;) {
      taken = receive_some(socket.get(), answer);
      if (taken == 0 && !answer.empty()) {
        return answer;
      }
    }
  }
  return error{error_code::storage_unavailable,
               "no answer at " + path.string(),
               "the process there is stopped, or not yours; its log may say more"};
}

}  // namespace troupe
