// Control groups: which folder is ours, what the files say, and, where this machine has version 2, that agents live in one.
#include "runtime/os/control_group.hpp"

#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using custody::control_group;
using custody::control_group_home;
using testing::HasSubstr;

TEST(control_group_test, the_folder_is_that_of_our_own_group_below_the_mount) {
  const std::string unified = "28 22 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
  EXPECT_EQ(control_group_home(unified, "0::/user.slice/x.scope\n"), "/sys/fs/cgroup/user.slice/x.scope");
  EXPECT_EQ(control_group_home(unified, "0::/\n"), "/sys/fs/cgroup");
  const std::string hybrid =
      "30 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "39 25 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(control_group_home(hybrid, "4:memory:/a\n0::/b\n"), "/sys/fs/cgroup/unified/b");
  const std::string bound = "28 22 0:25 /pod/one /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(control_group_home(bound, "0::/pod/one/two\n"), "/sys/fs/cgroup/two");
  EXPECT_EQ(control_group_home(bound, "0::/pod/one\n"), "/sys/fs/cgroup");
}

TEST(control_group_test, there_is_none_where_version_two_is_not_or_shows_another_part) {
  const std::string unified = "28 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(control_group_home("", "0::/a\n"), "");
  EXPECT_EQ(control_group_home("30 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "1:cpu:/\n"), "");
  EXPECT_EQ(control_group_home(unified, "4:memory:/a\n"), "");
  EXPECT_EQ(control_group_home(unified, "0::/../other\n"), "") << "outside our namespace";
  EXPECT_EQ(control_group_home("28 22 0:25 /pod/one /x rw - cgroup2 cgroup2 rw\n", "0::/pod/onetwo\n"), "");
  EXPECT_EQ(control_group_home("28 22 0:25 / /a\\040b rw - cgroup2 cgroup2 rw\n", "0::/\n"), "");
}

// A folder with files as the kernel has them.
class imitated_group_test : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) const { std::ofstream{folder_ / "g" / file} << text; }
  void SetUp() override {
    fs::create_directory(folder_ / "g");
    put("cgroup.kill", "");
  }

  temporary_folder folder_;
};

TEST_F(imitated_group_test, reads_and_writes_what_the_kernel_documents) {
  auto group = control_group::existing(folder_.path(), "g");
  put("cgroup.events", "frozen 0\npopulated 1\n");
  EXPECT_FALSE(group.is_empty());
  put("cgroup.events", "populated 0\nfrozen 0\n");
  EXPECT_TRUE(group.is_empty());
  EXPECT_FALSE(group.cpu_us());
  put("cpu.stat", "user_usec 1\nusage_usec 123456789\nsystem_usec 2\n");
  EXPECT_EQ(group.cpu_us(), 123456789);
  group.kill();
  EXPECT_EQ(file_text(folder_ / "g" / "cgroup.kill"), "1");
}

TEST_F(imitated_group_test, what_cannot_be_made_or_read_is_no_group) {
  EXPECT_FALSE(control_group::make("", "x"));
  EXPECT_FALSE(control_group::make((folder_ / "absent").string(), "x"));
  EXPECT_FALSE(control_group::make(folder_.path(), "g")) << "the name is taken";
  EXPECT_FALSE(control_group::make(folder_.path(), "new")) << "a folder without cgroup.procs";
  EXPECT_FALSE(fs::exists(folder_ / "new"));
  control_group none;
  none.kill();
  EXPECT_TRUE(none.is_empty());
  EXPECT_TRUE(none.remove());
  EXPECT_EQ(none.entrance(), -1);
}

TEST_F(imitated_group_test, the_sweep_removes_empty_groups_of_dead_keepers_and_nothing_else) {
  const auto dead = custody::control_group_name(4'194'305);  // above the greatest pid there can be, proc(5)
  const auto busy = custody::control_group_name(4'194'306);
  const auto just_made = custody::control_group_name(::getpid());
  for (const auto& name : {dead + "/of-the-agent/deep", busy, just_made, std::string{"other"}}) {
    fs::create_directories(folder_ / name);
  }
  std::ofstream{folder_ / busy / "busy"} << "x";
  custody::sweep_control_groups(folder_.path());
  EXPECT_FALSE(fs::exists(folder_ / dead));
  EXPECT_TRUE(fs::exists(folder_ / busy));
  EXPECT_TRUE(fs::exists(folder_ / just_made)) << "its keeper lives, and its agent is about to enter it";
  EXPECT_TRUE(fs::exists(folder_ / "other"));
}

// With the kernel's own.
class real_group_test : public ::testing::Test {
 protected:
  void SetUp() override {
    home_ = control_group_home(file_text("/proc/self/mountinfo"), file_text("/proc/self/cgroup"));
    auto tried = control_group::make(home_, custody::control_group_name(::getpid()));
    if (!tried) {
      GTEST_SKIP() << "no control group of version 2 can be made here";
    }
    tried.remove();
  }

  std::string group_of(pid_t keeper) const { return home_ + '/' + custody::control_group_name(keeper); }

  std::string home_;
};

TEST_F(real_group_test, an_agent_lives_in_a_group_of_its_own_that_goes_with_it) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto mark = new_mark();
  const auto [handle, child] = start(reactor, scripted({"mark", mark, "detach", "hang", "--", "print", "x", "hang"}));
  ASSERT_TRUE(child->wait_for_bytes(1));
  const auto keepers = children_of(static_cast<pid_t>(reactor.custodian_pid()));
  ASSERT_EQ(keepers.size(), 1U);
  for (const auto pid : processes_marked(mark)) {
    EXPECT_THAT(file_text("/proc/" + std::to_string(pid) + "/cgroup"),
                HasSubstr(custody::control_group_name(keepers[0]) + '\n'));
  }
  EXPECT_EQ(processes_marked(mark).size(), 2U);
  const auto folder = group_of(keepers[0]);
  EXPECT_TRUE(fs::exists(folder));
  reactor.kill(handle);
  ASSERT_TRUE(child->wait_for("ended"));
  EXPECT_TRUE(child->end.tree_gone);
  EXPECT_TRUE(becomes_true([&] { return !fs::exists(folder); }));
}

TEST_F(real_group_test, a_killed_keepers_group_is_emptied_and_removed) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto mark = new_mark();
  const auto child = start(reactor, scripted({"mark", mark, "detach", "hang", "--", "print", "x", "hang"})).second;
  ASSERT_TRUE(child->wait_for_bytes(1));
  const auto keepers = children_of(static_cast<pid_t>(reactor.custodian_pid()));
  ASSERT_EQ(keepers.size(), 1U);
  ::kill(keepers[0], SIGKILL);
  ASSERT_TRUE(child->wait_for("ended"));
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty() && !fs::exists(group_of(keepers[0])); }));
}

TEST_F(real_group_test, a_program_that_cannot_be_started_leaves_no_group) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  process_request what;
  what.argv = {"/no/such/agent"};
  run(reactor, what);
  EXPECT_TRUE(becomes_true([&] { return children_of(static_cast<pid_t>(reactor.custodian_pid())).empty(); }));
  for (const auto& entry : fs::directory_iterator{home_}) {
    const auto name = entry.path().filename().string();
    EXPECT_FALSE(name.starts_with("troupe-") && !fs::exists("/proc/" + name.substr(7))) << name;
  }
}

TEST_F(real_group_test, switched_off_there_is_none) {
  process_reactor reactor{{.custodian = TROUPE_CUSTODIAN_PATH, .groups = control_groups::none}};
  const auto [handle, child] = start(reactor, scripted({"print", "x", "hang"}));
  ASSERT_TRUE(child->wait_for_bytes(1));
  for (const auto keeper : children_of(static_cast<pid_t>(reactor.custodian_pid()))) {
    EXPECT_FALSE(fs::exists(group_of(keeper)));
  }
  reactor.kill(handle);
  ASSERT_TRUE(child->wait_for("ended"));
}

}  // namespace
}  // namespace troupe
