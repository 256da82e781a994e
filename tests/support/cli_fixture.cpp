#include "tests/support/cli_fixture.hpp"

#include "messages/base/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

constexpr std::chrono::seconds patience{60};  // Longer than anything takes, also under a sanitizer.

[[noreturn]] void fail(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

void close_and_forget(int& descriptor) {
  if (descriptor >= 0) {
    ::close(std::exchange(descriptor, -1));
  }
}

std::array<int, 2> pipe_ends() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail("pipe2");
  }
  return ends;
}

/// Both ends; the second is for the program.
std::array<int, 2> terminal_ends() {
  std::string name(128, '\0');
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0 ||
      ::ptsname_r(master, name.data(), name.size()) != 0 || ::ioctl(master, TIOCSWINSZ, &size) != 0) {
    fail("posix_openpt");
  }
  const int slave = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) {
    fail("open of a terminal");
  }
  return {master, slave};
}

void read_without_waiting(int descriptor) { ::fcntl(descriptor, F_SETFL, O_NONBLOCK); }

std::vector<char*> pointers_to(words& texts) {
  std::vector<char*> all;
  for (std::string& each : texts) {
    all.push_back(each.data());
  }
  all.push_back(nullptr);
  return all;
}

/// What sanitizers are told from outside goes for the program, too.
variables of_sanitizers() {
  variables found;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view text{*each};
    const auto equals = text.find('=');
    if (text.substr(0, equals).ends_with("SAN_OPTIONS")) {
      found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return found;
}

words of_troupe(const words& arguments) {
  words command{TROUPE_CLI_PATH};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace

cli_process::cli_process(const cli_call& what)
    : to_write_(what.input), deadline_(std::chrono::steady_clock::now() + patience) {
  auto in = pipe_ends();
  auto out = what.terminal ? terminal_ends() : pipe_ends();
  auto err = pipe_ends();
  spawn(what, in[0], out[1], what.terminal ? out[1] : err[1]);
  close_and_forget(in[0]);
  close_and_forget(out[1]);
  close_and_forget(err[1]);
  input_ = in[1];
  out_.descriptor = out[0];
  err_.descriptor = err[0];
  for (const int each : {input_, out_.descriptor, err_.descriptor}) {
    read_without_waiting(each);
  }
}

cli_process::~cli_process() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_and_forget(input_);
  close_and_forget(out_.descriptor);
  close_and_forget(err_.descriptor);
}

void cli_process::spawn(const cli_call& what, int standard_input, int standard_output, int standard_error) {
  words command = what.command;
  words environment;
  for (const auto& [name, value] : what.environment) {
    environment.push_back(name + '=' + value);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addchdir_np(&actions, what.folder.c_str());
  posix_spawn_file_actions_adddup2(&actions, standard_input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, standard_output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, standard_error, STDERR_FILENO);
  sigset_t usual;  // whatever the test was started with
  sigemptyset(&usual);
  posix_spawnattr_setsigmask(&attributes, &usual);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    sigaddset(&usual, number);
  }
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int failed = ::posix_spawnp(&pid_,
                                    command.front().c_str(),
                                    &actions,
                                    &attributes,
                                    pointers_to(command).data(),
                                    pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw std::system_error{failed, std::generic_category(), "cannot start " + command.front()};
  }
}

void cli_process::signal(int number) const { ::kill(pid_, number); }

bool cli_process::wait_for(std::string_view text) {
  const auto stands_in = [&](const stream& where) { return where.bytes.find(text) != std::string::npos; };
  while (!stands_in(out_) && !stands_in(err_)) {
    if (!exchange()) {
      ADD_FAILURE() << "waited in vain for '" << text << "' in:\n" << out_.bytes << err_.bytes;
      return false;
    }
  }
  return true;
}

cli_result cli_process::wait() {
  while (exchange()) {
  }
  int ended = 0;
  ::waitpid(pid_, &ended, 0);
  reaped_ = true;
  const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  return {code, out_.bytes, err_.bytes};
}

/// Waits for something to read or write, and does it. False once both streams are at their end.
bool cli_process::exchange() {
  write_input();
  std::array<pollfd, 3> waiting{{{out_.descriptor, POLLIN, 0}, {err_.descriptor, POLLIN, 0}, {input_, POLLOUT, 0}}};
  if (out_.descriptor < 0 && err_.descriptor < 0) {
    return false;
  }
  const auto left = deadline_ - std::chrono::steady_clock::now();
  const auto at_most = std::chrono::ceil<milliseconds>(left).count();
  if (left.count() <= 0 || ::poll(waiting.data(), waiting.size(), static_cast<int>(at_most)) == 0) {
    ADD_FAILURE() << "took too long; printed so far:\n" << out_.bytes << err_.bytes;
    ::kill(pid_, SIGKILL);
    return false;
  }
  read_from(out_);
  read_from(err_);
  return true;
}

void cli_process::write_input() {
  while (input_ >= 0 && written_ < to_write_.size()) {
    const auto count = ::write(input_, to_write_.data() + written_, to_write_.size() - written_);
    if (count < 0 && errno == EAGAIN) {
      return;
    }
    written_ = count > 0 ? written_ + static_cast<std::size_t>(count) : to_write_.size();
  }
  close_and_forget(input_);
}

void cli_process::read_from(stream& from) {
  std::array<char, 64U << 10U> buffer{};
  while (from.descriptor >= 0) {
    const auto count = ::read(from.descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      from.bytes.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      close_and_forget(from.descriptor);  // of a terminal that nobody has any more, EIO
    }
  }
}

// Open for reading, too, so that neither side waits for the other to open it.
latch::latch(std::string path) : path_(std::move(path)) {
  if (::mkfifo(path_.c_str(), 0600) != 0) {
    fail("mkfifo");
  }
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
}

latch::~latch() { ::close(descriptor_); }

std::string latch::command() const { return R"(command = ["/usr/bin/head", "-n", "1", )" + json_string(path_) + "]\n"; }

void latch::let_go() const {
  if (::write(descriptor_, "go\n", 3) != 3) {
    fail("write");
  }
}

cli_call cli_fixture::call(words command, const variables& more) const {
  cli_call made;
  made.command = std::move(command);
  made.folder = folder_.path();
  made.environment = of_sanitizers();
  const std::string here = TROUPE_CLI_PATH;
  made.environment["PATH"] = here.substr(0, here.rfind('/')) + ":/usr/local/bin:/usr/bin:/bin";
  made.environment["HOME"] = made.folder;
  made.environment["TROUPE_RETRY__AGENT__MAX_ATTEMPTS"] = "1";  // unless a test is about retries
  made.environment["XDG_STATE_HOME"] = made.folder + "/state";
  made.environment["XDG_CONFIG_HOME"] = made.folder + "/config";
  made.environment["LANG"] = "C.UTF-8";
  made.environment["TZ"] = "UTC";
  for (const auto& [name, value] : more) {
    made.environment[name] = value;
  }
  return made;
}

cli_process cli_fixture::start(const words& arguments, const variables& more) const {
  return cli_process{call(of_troupe(arguments), more)};
}

cli_result cli_fixture::run(const words& arguments, const variables& more, std::string input) const {
  cli_call made = call(of_troupe(arguments), more);
  made.input = std::move(input);
  return cli_process{made}.wait();
}

cli_process cli_fixture::start_on_terminal(const words& arguments) const {
  cli_call made = call(of_troupe(arguments), {});
  made.environment.emplace("TERM", "xterm-256color");
  made.terminal = true;
  return cli_process{made};
}

cli_result cli_fixture::run_on_terminal(const words& arguments, const variables& more) const {
  cli_call made = call(of_troupe(arguments), more);
  made.environment.emplace("TERM", "xterm-256color");
  made.terminal = true;
  return cli_process{made}.wait();
}

cli_result cli_fixture::run_program(words command, std::string input) const {
  cli_call made = call(std::move(command), {});
  made.input = std::move(input);
  return cli_process{made}.wait();
}

std::string cli_fixture::write(const std::string& name, std::string_view text) const {
  std::ofstream file{folder_ / name, std::ios::binary | std::ios::trunc};
  file << text;
  file.close();
  if (!file) {
    throw std::runtime_error{"cannot write " + name};
  }
  return name;
}

std::string cli_fixture::scripted(const words& script) {
  std::string command = "command = [" + json_string(TROUPE_SCRIPTED_CHILD_PATH);
  for (const std::string& each : script) {
    command += ", " + json_string(each);
  }
  return command + "]\n";
}

std::unique_ptr<read_session> cli_fixture::stored() const {
  storage_options options;
  options.path = database_path();
  auto opened = read_session::open(options);
  if (!opened) {
    throw std::runtime_error{opened.error().message};
  }
  return *std::move(opened);
}

run_view cli_fixture::run_of(const std::string& id) const {
  const auto found = stored()->find_run(run_id{id});
  if (!found) {
    throw std::runtime_error{found.error().message};
  }
  return *found;
}

std::vector<task_view> cli_fixture::tasks_of(const std::string& id) const {
  const auto found = stored()->list_tasks(run_id{id});
  if (!found) {
    throw std::runtime_error{found.error().message};
  }
  return *found;
}

std::vector<run_view> cli_fixture::child_runs_of(const std::string& id) const {
  run_filter filter;
  filter.child_of = run_id{id};
  const auto found = stored()->list_runs(filter);
  if (!found) {
    throw std::runtime_error{found.error().message};
  }
  return *found;
}

boost::json::value json_of(const std::string& out) {
  const auto all = json_lines_of(out);
  EXPECT_EQ(all.size(), 1U) << out;
  return all.empty() ? boost::json::value{} : all.front();
}

std::vector<boost::json::value> json_lines_of(const std::string& out) {
  std::vector<boost::json::value> all;
  std::size_t from = 0;
  for (auto end = out.find('\n'); end != std::string::npos; end = out.find('\n', from)) {
    boost::json::error_code fault;
    all.push_back(boost::json::parse(std::string_view{out}.substr(from, end - from), fault));
    EXPECT_FALSE(fault) << fault.message() << ": " << out.substr(from, end - from);
    from = end + 1;
  }
  EXPECT_EQ(from, out.size()) << "the last line has no end: " << out;
  return all;
}

std::string at(const boost::json::value& document, std::string_view pointer) {
  boost::json::error_code none;
  const boost::json::value* const found = document.find_pointer(pointer, none);
  if (found == nullptr) {
    return "nothing";
  }
  return found->is_string() ? std::string{found->get_string()} : boost::json::serialize(*found);
}

}  // namespace troupe
