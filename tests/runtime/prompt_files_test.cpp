#include "runtime/os/prompt_files.hpp"

#include "tests/support/forked.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace troupe {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777U;
}

class prompt_files_test : public ::testing::Test {
 protected:
  temporary_folder place_;
  const std::string folder_ = place_ / "troupe.db.prompts";
};

TEST_F(prompt_files_test, are_for_the_owners_eyes_only_and_hold_what_was_given) {
  const auto former = ::umask(0);
  prompt_files files{folder_};
  const std::string bytes{"for your\0eyes\xff only", 19};
  const auto path = files.write(bytes);
  ::umask(former);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(file_text(*path), bytes);
  EXPECT_EQ(mode_of(*path), 0600U);
  EXPECT_EQ(mode_of(folder_), 0700U);
  files.remove(*path);
  EXPECT_FALSE(fs::exists(*path));
  files.remove(*path);
}

TEST_F(prompt_files_test, of_an_owner_that_was_killed_are_removed_by_the_next) {
  std::string left;
  {
    prompt_files killed{folder_};
    left = *killed.write("secret");
  }
  ASSERT_TRUE(fs::exists(left)) << "nobody removed it: as after kill -9";
  const prompt_files next{folder_};
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(prompt_files_test, never_follow_what_somebody_else_has_put_there) {
  prompt_files files{folder_};
  const auto first = *files.write("a");
  auto next = first;
  next.replace(next.rfind("-1.txt"), 6, "-2.txt");
  fs::create_symlink(place_ / "elsewhere", next);
  const auto refused = files.write("b");
  EXPECT_FALSE(refused.has_value());
  EXPECT_FALSE(fs::exists(place_ / "elsewhere"));
  EXPECT_FALSE(refused.error().hint.empty());
}

TEST_F(prompt_files_test, one_that_finds_no_room_leaves_nothing) {
  if (const auto why = why_no_mounts(place_.path())) {
    GTEST_SKIP() << *why;
  }
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_FALSE(mount_in_memory(place_.path(), "size=1m"));
    prompt_files files{folder_};
    const auto refused = files.write(std::string(2U << 20U, 'x'));
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("No space left"), std::string::npos);
    EXPECT_TRUE(fs::is_empty(folder_));
  }));
}

TEST_F(prompt_files_test, a_folder_that_cannot_be_made_is_told) {
  prompt_files files{(place_ / "absent/deep").string()};
  const auto refused = files.write("x");
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("absent/deep"), std::string::npos);
}

}  // namespace
}  // namespace troupe
