// A child that behaves as its arguments say, one after the other, and then exits with 0:
//
//   print TEXT | complain TEXT     to stdout, to stderr, without a line end
//   flood BYTES | flood-err BYTES  bytes of the pattern a..z, where byte i is 'a' + i % 26
//   cat                            stdin to stdout until it ends
//   digest                         stdin until it ends: prints its length and the FNV-1a hash of its bytes
//   bytes                          all 256 values of a byte, in order, then 0xff 0xfe 0x00
//   args                           everything that follows, each as LENGTH:TEXT; the script ends here
//   environment | folder | descriptors | group | limit | clock   what it sees, printed
//   close-output                   closes stdout and stderr
//   ignore-term | catch-term       SIGTERM: ignored; or counted, see print-terms
//   fork SCRIPT..., --             a child that runs the script up to --, in the same group
//   detach SCRIPT..., --           the same, forked twice and in a session of its own: an orphan
//   work MILLISECONDS              takes that time
//   hang                           until it is killed
//   spin                           the same, with a processor kept busy
//   print-terms                    waits for a SIGTERM, and 100 ms more; prints how many came
//   exit CODE | signal NUMBER      the end
//   mark TEXT                      nothing; tests find this process and its children by it in /proc/PID/cmdline
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using script = std::vector<std::string>;

volatile sig_atomic_t terms = 0;
void count_term(int /*number*/) { terms = terms + 1; }

void write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      ::_exit(90);
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
}

void flood(int to, std::size_t bytes) {
  std::string pattern(std::size_t{26} * 1024, '\0');
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    pattern[i] = static_cast<char>('a' + i % 26);
  }
  while (bytes > 0) {
    const auto part = std::min(bytes, pattern.size());
    write_all(to, std::string_view{pattern}.substr(0, part));
    bytes -= part;
  }
}

template <class Each>
void for_each_input(Each each) {
  std::string buffer(64U << 10U, '\0');
  while (true) {
    const auto got = ::read(0, buffer.data(), buffer.size());
    if (got == 0) {
      return;
    }
    if (got > 0) {
      each(std::string_view{buffer.data(), static_cast<std::size_t>(got)});
    } else if (errno != EINTR) {
      ::_exit(91);
    }
  }
}

void digest() {
  std::uint64_t hash = 14695981039346656037U;
  std::uint64_t length = 0;
  for_each_input([&](std::string_view part) {
    length += part.size();
    for (const char byte : part) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    }
  });
  write_all(1, std::to_string(length) + ' ' + std::to_string(hash));
}

void print_bytes() {
  std::string all;
  for (int value = 0; value < 256; ++value) {
    all.push_back(static_cast<char>(value));
  }
  write_all(1, all + std::string{"\xff\xfe\x00", 3});
}

void print_descriptors() {
  std::vector<int> open;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(folder)) {
      open.push_back(std::atoi(entry->d_name));
    }
  }
  ::closedir(folder);
  std::sort(open.begin(), open.end());
  for (const int number : open) {
    write_all(1, std::to_string(number) + ' ');
  }
}

void print_environment() {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    write_all(1, std::string{*entry} + '\n');
  }
}

void print_folder() {
  std::string path(4096, '\0');
  write_all(1, ::getcwd(path.data(), path.size()) == nullptr ? "?" : path.c_str());
}

void print_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  write_all(1, std::to_string(files.rlim_cur));
}

void print_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  write_all(1, std::to_string(std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec));
}

void work(long milliseconds) {
  timespec left{milliseconds / 1000, (milliseconds % 1000) * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void on_term(void (*handler)(int)) {
  struct sigaction act {};
  act.sa_handler = handler;
  ::sigaction(SIGTERM, &act, nullptr);
}

[[noreturn]] void hang() {
  while (true) {
    ::pause();
  }
}

[[noreturn]] void spin() {
  for (std::atomic<std::uint64_t> turns = 0;; ++turns) {
  }
}

void print_terms() {
  sigset_t term;
  sigset_t former;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &former);
  while (terms == 0) {
    ::sigsuspend(&former);
  }
  ::sigprocmask(SIG_SETMASK, &former, nullptr);
  work(100);
  write_all(1, std::to_string(terms));
}

void run(const script& lines);

// The lines up to the matching "--", run by a child.
script::const_iterator run_in_child(script::const_iterator at, script::const_iterator end, bool detached) {
  int depth = 1;
  auto last = at;
  for (; last != end; ++last) {
    depth += *last == "fork" || *last == "detach" ? 1 : 0;
    depth -= *last == "--" ? 1 : 0;
    if (depth == 0) {
      break;
    }
  }
  const pid_t child = ::fork();
  if (child == 0) {
    if (detached) {
      ::setsid();
      if (::fork() != 0) {
        ::_exit(0);
      }
    }
    run({at, last});
    ::_exit(0);
  }
  if (detached) {
    ::waitpid(child, nullptr, 0);
  }
  return last == end ? end : last + 1;
}

void run(const script& lines) {
  for (auto at = lines.begin(); at != lines.end();) {
    const std::string& what = *at++;
    const auto argument = [&]() -> const std::string& {
      if (at == lines.end()) {
        ::_exit(92);
      }
      return *at++;
    };
    if (what == "print") {
      write_all(1, argument());
    } else if (what == "complain") {
      write_all(2, argument());
    } else if (what == "flood") {
      flood(1, std::strtoull(argument().c_str(), nullptr, 10));
    } else if (what == "flood-err") {
      flood(2, std::strtoull(argument().c_str(), nullptr, 10));
    } else if (what == "cat") {
      for_each_input([](std::string_view part) { write_all(1, part); });
    } else if (what == "digest") {
      digest();
    } else if (what == "bytes") {
      print_bytes();
    } else if (what == "args") {
      for (; at != lines.end(); ++at) {
        write_all(1, std::to_string(at->size()) + ':' + *at);
      }
    } else if (what == "environment") {
      print_environment();
    } else if (what == "folder") {
      print_folder();
    } else if (what == "descriptors") {
      print_descriptors();
    } else if (what == "group") {
      write_all(1, std::to_string(::getpid()) + ' ' + std::to_string(::getpgrp()));
    } else if (what == "limit") {
      print_limit();
    } else if (what == "clock") {
      print_clock();
    } else if (what == "close-output") {
      ::close(1);
      ::close(2);
    } else if (what == "ignore-term") {
      on_term(SIG_IGN);
    } else if (what == "catch-term") {
      on_term(count_term);
    } else if (what == "print-terms") {
      print_terms();
    } else if (what == "fork" || what == "detach") {
      at = run_in_child(at, lines.end(), what == "detach");
    } else if (what == "work") {
      work(std::strtol(argument().c_str(), nullptr, 10));
    } else if (what == "hang") {
      hang();
    } else if (what == "spin") {
      spin();
    } else if (what == "exit") {
      ::_exit(std::atoi(argument().c_str()));
    } else if (what == "signal") {
      const int number = std::atoi(argument().c_str());
      ::signal(number, SIG_DFL);  // a sanitizer may have taken it
      ::raise(number);
    } else if (what == "mark") {
      static_cast<void>(argument());
    } else {
      write_all(2, "no such command: " + what + '\n');
      ::_exit(93);
    }
  }
}

}  // namespace

int main(int argc, char** argv) { run({argv + 1, argv + argc}); }
