// Who dies when: the host, the custodian, a keeper, and two of them at once. Nothing of an agent's tree may be left.
#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>

namespace troupe {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds one_second{1'000};

// Children at three depths: one in the agent's group, and an orphan in a session of its own with a child. None hears
// SIGTERM.
std::vector<std::string> family(const std::string& mark) {
  return {"mark",
          mark,
          "ignore-term",
          "fork",
          "hang",
          "--",
          "detach",
          "ignore-term",
          "fork",
          "hang",
          "--",
          "hang",
          "--",
          "print",
          "x\n",
          "hang"};
}
constexpr std::size_t family_size = 4;

/// A process with a reactor in it: tests/support/reactor_host.cpp.
class reactor_host {
 public:
  reactor_host(int megabytes, int children, const std::vector<std::string>& script) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words{TROUPE_REACTOR_HOST_PATH,
                                   TROUPE_CUSTODIAN_PATH,
                                   std::to_string(megabytes),
                                   std::to_string(children),
                                   TROUPE_SCRIPTED_CHILD_PATH};
    words.insert(words.end(), script.begin(), script.end());
    std::vector<char*> argv;
    for (auto& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string said;
    char byte = 0;
    while (::read(ends[0], &byte, 1) == 1 && byte != '\n') {
      said += byte;
    }
    ::close(ends[0]);
    EXPECT_EQ(said.substr(0, 6), "ready ");
    custodian_ = said.size() > 6 ? std::stoi(said.substr(6)) : 0;
  }
  reactor_host(const reactor_host&) = delete;
  reactor_host& operator=(const reactor_host&) = delete;
  ~reactor_host() { kill_it(); }

  pid_t custodian() const { return custodian_; }

  void kill_it() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    }
  }

 private:
  pid_t pid_ = 0;
  pid_t custodian_ = 0;
};

bool is_gone(pid_t pid) { return state_of(pid).first == '?' || state_of(pid).first == 'Z'; }

class killed_host_test : public ::testing::TestWithParam<int> {};

TEST_P(killed_host_test, leaves_nothing_within_a_second) {
  const auto mark = new_mark();
  reactor_host host{GetParam(), 3, family(mark)};
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark).size() == 3 * family_size + 1; }));  // and the host
  const auto killed_at = std::chrono::steady_clock::now();
  host.kill_it();
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty() && is_gone(host.custodian()); }));
  EXPECT_LT(std::chrono::steady_clock::now() - killed_at, one_second);
}

INSTANTIATE_TEST_SUITE_P(of_a_megabyte_and_of_a_gigabyte, killed_host_test, ::testing::Values(1, 1024));

TEST(custody_test, a_killed_host_and_custodian_leave_nothing) {
  const auto mark = new_mark();
  reactor_host host{1, 3, family(mark)};
  ASSERT_GT(host.custodian(), 0);
  ::kill(host.custodian(), SIGKILL);
  host.kill_it();
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty() && is_gone(host.custodian()); }, one_second));
}

TEST(custody_test, a_killed_custodian_takes_its_children_along_and_another_follows) {
  const auto mark = new_mark();
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto child = start(reactor, scripted(family(mark))).second;
  ASSERT_TRUE(child->wait_for_bytes(1));
  const auto first = reactor.custodian_pid();
  ASSERT_GT(first, 0) << "0 would kill our whole process group";
  ::kill(static_cast<pid_t>(first), SIGKILL);
  ASSERT_TRUE(child->wait_for("ended"));
  EXPECT_TRUE(child->end.tree_gone || child->end.custodian_lost);
  EXPECT_EQ(child->end.standard_output, "x\n");
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty(); }, one_second));

  const auto next = run(reactor, scripted({"print", "y"}));
  EXPECT_EQ(next->end.standard_output, "y");
  EXPECT_NE(reactor.custodian_pid(), first);
  EXPECT_TRUE(is_gone(static_cast<pid_t>(first)));
}

TEST(custody_test, a_killed_keeper_takes_its_own_tree_along_and_nobody_elses) {
  const auto mark = new_mark();
  const auto other_mark = new_mark();
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto child = start(reactor, scripted(family(mark))).second;
  ASSERT_TRUE(child->wait_for_bytes(1));
  const auto keepers = children_of(static_cast<pid_t>(reactor.custodian_pid()));
  ASSERT_EQ(keepers.size(), 1U);
  const auto [handle, other] = start(reactor, scripted(family(other_mark)));
  ASSERT_TRUE(other->wait_for_bytes(1));

  ::kill(keepers[0], SIGKILL);
  ASSERT_TRUE(child->wait_for("ended"));
  EXPECT_TRUE(child->end.custodian_lost);
  EXPECT_FALSE(child->end.tree_gone);
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty(); }, one_second));
  EXPECT_TRUE(becomes_true([&] { return processes_marked(other_mark).size() == family_size; }));
  EXPECT_FALSE(other->was_told("exited"));
  reactor.kill(handle);
  ASSERT_TRUE(other->wait_for("ended"));
  EXPECT_TRUE(other->end.tree_gone);
}

TEST(custody_test, a_stopped_custodian_does_not_keep_a_killed_hosts_children) {
  const auto mark = new_mark();
  reactor_host host{1, 2, family(mark)};
  ASSERT_GT(host.custodian(), 0);
  ::kill(host.custodian(), SIGSTOP);  // the keepers see the end of the host by themselves
  host.kill_it();
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty(); }, one_second));
  ::kill(host.custodian(), SIGCONT);
  EXPECT_TRUE(becomes_true([&] { return is_gone(host.custodian()); }));
}

}  // namespace
}  // namespace troupe
