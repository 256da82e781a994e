// A host where no custodian can do its work: each start says why, and nothing hangs.
#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

void expect_refused(process_reactor& reactor, const std::string& words, error_code code = error_code::internal) {
  const auto child = run(reactor, scripted({"exit", "0"}));
  ASSERT_TRUE(child->end.exit.start_failure);
  EXPECT_EQ(child->end.exit.start_failure->code, code);
  EXPECT_THAT(child->end.exit.start_failure->message, AllOf(HasSubstr(words), HasSubstr("no agent can run")));
  EXPECT_THAT(child->end.exit.start_failure->hint, HasSubstr("runtime.custodian"));
  EXPECT_FALSE(child->end.custodian_lost) << "it would be tried again, for ever";
  EXPECT_FALSE(child->was_told("started"));
}

class without_custodian_test : public ::testing::Test {
 protected:
  std::string program(const std::string& text, mode_t mode) const {
    const auto path = (folder_ / "custodian").string();
    std::ofstream{path} << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  temporary_folder folder_;
};

TEST_F(without_custodian_test, that_is_missing_or_is_no_program_is_told) {
  const auto nothing = program("#!/bin/sh\n", 0644);
  for (const auto& [path, words] : std::vector<std::pair<std::string, std::string>>{
           {"/no/such/custodian", "No such file"}, {nothing, "Permission denied"}, {folder_.path(), "denied"}}) {
    process_reactor reactor{{path}};
    expect_refused(reactor, path, error_code::agent_not_found);
    expect_refused(reactor, words, error_code::agent_not_found);
  }
  process_reactor reactor{{program("no program at all", 0755)}};
  expect_refused(reactor, "Exec format error", error_code::agent_not_found);
}

TEST_F(without_custodian_test, that_ends_at_once_is_told_each_time) {
  process_reactor reactor{{program("#!/bin/sh\nexit 3\n", 0755)}};
  for (int i = 0; i < 3; ++i) {
    expect_refused(reactor, "before it had started anything");
  }
}

TEST_F(without_custodian_test, that_never_answers_is_killed) {
  const auto sleeper = program("#!/bin/sh\nexec sleep 1000\n", 0755);
  process_reactor reactor{{.custodian = sleeper, .start_patience = milliseconds{100}}};
  const auto [handle, child] = start(reactor, scripted({"exit", "0"}));
  reactor.kill(handle);
  ASSERT_TRUE(child->wait_for("ended"));
  ASSERT_TRUE(child->end.exit.start_failure);
  EXPECT_TRUE(becomes_true([&] { return children_of(::getpid()).empty(); }));
}

TEST_F(without_custodian_test, one_that_has_worked_and_stops_answering_is_replaced) {
  // As long as a start takes on a busy machine, since one that takes longer loses the custodian before it has worked.
  process_reactor reactor{{.custodian = TROUPE_CUSTODIAN_PATH, .start_patience = milliseconds{1'000}}};
  ASSERT_EQ(run(reactor, scripted({"exit", "4"}))->end.exit.exit_code, 4);
  ASSERT_GT(reactor.custodian_pid(), 0) << "0 would stop our whole process group";
  ::kill(static_cast<pid_t>(reactor.custodian_pid()), SIGSTOP);
  const auto child = run(reactor, scripted({"exit", "4"}));
  EXPECT_TRUE(child->end.custodian_lost) << "the attempt was interrupted";
  EXPECT_EQ(run(reactor, scripted({"exit", "5"}))->end.exit.exit_code, 5);
}

TEST_F(without_custodian_test, one_that_does_not_end_is_not_waited_for_for_ever) {
  std::optional<process_reactor> reactor{std::in_place, process_reactor_options{.custodian = TROUPE_CUSTODIAN_PATH}};
  EXPECT_EQ(run(*reactor, scripted({}))->end.exit.exit_code, 0);
  const auto custodian = static_cast<pid_t>(reactor->custodian_pid());
  ::kill(custodian, SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  reactor.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, test_patience / 2);
  EXPECT_NE(::kill(custodian, 0), 0) << "it is gone, and no zombie either";
}

TEST_F(without_custodian_test, a_user_who_may_have_no_more_processes_is_told) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  const auto custodian = (folder_ / "troupe-custodian").string();
  std::filesystem::copy_file(TROUPE_CUSTODIAN_PATH, custodian);
  EXPECT_TRUE(passes_in_child([&] {
    process_reactor reactor{{custodian}};
    become_nobody();
    const rlimit one{1, 1};
    ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &one), 0);
    expect_refused(reactor, "Resource temporarily unavailable");
  }));
}

TEST_F(without_custodian_test, a_folder_from_which_nothing_may_be_executed_is_told) {
  if (const auto why = why_no_mounts(folder_.path())) {
    GTEST_SKIP() << *why;
  }
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_FALSE(mount_in_memory(folder_.path(), "size=8m"));
    ASSERT_EQ(::mount(nullptr, folder_.path().c_str(), nullptr, MS_REMOUNT | MS_NOEXEC, "size=8m"), 0);
    const auto custodian = (folder_ / "troupe-custodian").string();
    std::filesystem::copy_file(TROUPE_CUSTODIAN_PATH, custodian);
    process_reactor reactor{{custodian}};
    expect_refused(reactor, "Permission denied", error_code::agent_not_found);
  }));
}

// Every program is refused to this process and its children, as in a sandbox.
void forbid_programs() {
  const auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof rules / sizeof *rules, rules};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

TEST_F(without_custodian_test, a_sandbox_that_forbids_programs_is_told) {
  EXPECT_TRUE(passes_in_child([] {
    forbid_programs();
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    expect_refused(reactor, "Operation not permitted");
  }));
}

}  // namespace
}  // namespace troupe
