#include "perf/children.hpp"

#include "runtime/os/file_descriptor.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <latch>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace troupe::perf {
namespace {

struct pipe_ends {
  file_descriptor reads;
  file_descriptor writes;
};

pipe_ends open_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::generic_category(), "pipe2"};
  }
  return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

void read_to_end(const file_descriptor& from, std::string& into) {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return;
    }
  }
}

using descriptors = std::array<int, 3>;

pid_t by_spawn(char* const* argv, char* const* environment, const descriptors& theirs) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) {
    ::posix_spawn_file_actions_adddup2(&actions, theirs.at(static_cast<std::size_t>(i)), i);
  }
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv, environment);
  ::posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

pid_t by_fork(char* const* argv, char* const* environment, const descriptors& theirs) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int i = 0; i < 3; ++i) {
      ::dup2(theirs.at(static_cast<std::size_t>(i)), i);
    }
    ::execve(argv[0], argv, environment);
    ::_exit(127);
  }
  return pid;
}

}  // namespace

child_life live_bare(bare_start how, const std::vector<std::string>& argv) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  char* const environment[] = {nullptr};

  child_life life;
  life.asked = clock::now();
  auto input = open_pipe();
  auto output = open_pipe();
  auto errors = open_pipe();
  const descriptors theirs{input.reads.get(), output.writes.get(), errors.writes.get()};
  const pid_t pid = how == bare_start::spawn ? by_spawn(pointers.data(), environment, theirs)
                                             : by_fork(pointers.data(), environment, theirs);
  life.started = clock::now();
  if (pid < 0) {
    throw std::runtime_error{"cannot start " + argv.front()};
  }
  input = {};
  output.writes.reset();
  errors.writes.reset();
  read_to_end(output.reads, life.output);
  read_to_end(errors.reads, life.output);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  life.exited = life.ended = clock::now();
  return life;
}

std::vector<child_life> live_kept(process_port& port, const std::vector<std::string>& argv, std::size_t count) {
  std::vector<child_life> lives(count);
  std::latch all_ended{static_cast<std::ptrdiff_t>(count)};
  const auto asked = clock::now();
  for (auto& life : lives) {
    life.asked = asked;
    process_request what;
    what.argv = argv;
    process_listener listener;
    listener.started = [&life](process_identity) { life.started = clock::now(); };
    listener.exited = [&life](const process_exit&) { life.exited = clock::now(); };
    listener.ended = [&life, &all_ended](process_end end) {
      life.ended = clock::now();
      life.output = std::move(end.standard_output);
      all_ended.count_down();
    };
    port.start(std::move(what), std::move(listener));
  }
  all_ended.wait();
  return lives;
}

}  // namespace troupe::perf
