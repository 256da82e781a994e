#include "storage/whole_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

class whole_file_test : public testing::Test {
 protected:
  static std::string text_of(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  std::vector<std::string> partials() const {
    std::vector<std::string> found;
    for (const auto& each : fs::directory_iterator{folder_.path()}) {
      if (each.path().filename().string().starts_with(partial_prefix)) {
        found.push_back(each.path().filename().string());
      }
    }
    return found;
  }

  temporary_folder folder_;
  const fs::path path_ = folder_ / "x";
};

TEST_F(whole_file_test, takes_the_place_of_what_is_there_and_is_for_its_user_alone) {
  const auto mask = ::umask(0);
  EXPECT_EQ(write_whole_file(path_, "old and long", folder_.path()), 0);
  EXPECT_EQ(write_whole_file(path_, "new", folder_.path()), 0);
  ::umask(mask);
  EXPECT_EQ(text_of(path_), "new");
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_TRUE(partials().empty());
}

// Whoever knows the names that come next: links to what is to be overwritten, and what dead processes left.
TEST_F(whole_file_test, nothing_in_its_way_is_followed_or_written_over) {
  const auto victim = folder_ / "victim";
  std::ofstream{victim} << "mine";
  std::string name;
  const auto look = [&](blob_step step) {
    if (step == blob_step::write) {
      name = partials().at(0);
    }
    return 0;
  };
  ASSERT_EQ(write_whole_file(path_, "first", folder_.path(), look), 0);
  const auto dash = name.rfind('-') + 1;
  const auto number = std::strtoull(name.c_str() + dash, nullptr, 10);
  const auto next = [&](unsigned long long more) {
    return folder_ / (name.substr(0, dash) + std::to_string(number + more));
  };
  fs::create_symlink(victim, next(1));
  fs::create_symlink(folder_ / "nowhere", next(2));
  std::ofstream{next(3)} << "another's";
  EXPECT_EQ(write_whole_file(path_, "second", folder_.path()), 0);
  EXPECT_EQ(text_of(path_), "second");
  EXPECT_EQ(text_of(victim), "mine");
  EXPECT_EQ(text_of(next(3)), "another's");
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
  EXPECT_EQ(partials().size(), 3U);
}

TEST_F(whole_file_test, a_failure_leaves_everything_as_it_was) {
  ASSERT_EQ(write_whole_file(path_, "old", folder_.path()), 0);
  for (const auto failing : {blob_step::create, blob_step::write, blob_step::sync_file, blob_step::rename}) {
    const auto fail = [&](blob_step step) { return step == failing ? ENOSPC : 0; };
    EXPECT_EQ(write_whole_file(path_, "new", folder_.path(), fail), ENOSPC);
    EXPECT_EQ(text_of(path_), "old");
    EXPECT_TRUE(partials().empty());
  }
  EXPECT_EQ(write_whole_file(folder_ / "none/x", "new", folder_.path()), ENOENT);
  EXPECT_EQ(write_whole_file(path_, "new", folder_ / "none"), ENOENT);
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ(sync_folder(folder_ / "none"), ENOENT);
  EXPECT_EQ(sync_folder(folder_.path()), 0);
}

}  // namespace
}  // namespace troupe
