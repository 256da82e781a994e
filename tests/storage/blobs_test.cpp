#include "storage/blobs.hpp"

#include "tests/storage/blob_material.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using steps = std::vector<blob_step>;

class blobs_test : public testing::Test {
 protected:
  blob_step_hook recording() {
    return [this](blob_step step) {
      seen.push_back(step);
      return 0;
    };
  }

  fs::path path_of(const std::string& bytes) const { return blob_path(folder, sha256(bytes)); }

  temporary_folder place;
  fs::path folder = place / "troupe.db.blobs";
  const std::string output = std::string(300'000, 'x') + std::string("\0\xff", 2);
  steps seen;
};

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777U;
}

TEST_F(blobs_test, puts_a_file_named_by_its_content_and_reads_it_back) {
  blob_store store{folder};
  const auto stored = store.put(output);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(to_hex(stored->digest), sha256_hex(output));
  EXPECT_EQ(stored->bytes, static_cast<std::int64_t>(output.size()));
  EXPECT_TRUE(is_blob_there(folder, *stored));
  EXPECT_EQ(*read_blob(folder, *stored), output);
  EXPECT_TRUE(verify_blob(folder, *stored));
  EXPECT_EQ(mode_of(folder), 0700U);
  EXPECT_EQ(mode_of(path_of(output).parent_path()), 0700U);
  EXPECT_EQ(mode_of(path_of(output)), 0600U);
}

TEST_F(blobs_test, an_empty_content_is_a_file_as_any_other) {
  blob_store store{folder};
  const auto stored = store.put("");
  ASSERT_TRUE(stored);
  EXPECT_EQ(*read_blob(folder, *stored), "");
}

TEST_F(blobs_test, keeps_the_same_content_once) {
  blob_store store{folder};
  ASSERT_EQ(*store.put(output), *store.put(output));
  EXPECT_THAT(file_names(folder), SizeIs(1));
}

// What a power cut takes is what was not synced: this order is all that stands against it.
TEST_F(blobs_test, syncs_the_content_before_the_name_and_the_name_before_it_answers) {
  using enum blob_step;
  blob_store store{folder, recording()};
  ASSERT_TRUE(store.put(output));
  EXPECT_EQ(seen,
            (steps{make_folder, sync_folder, make_folder, sync_folder, create, write, sync_file, rename, sync_folder}));
  seen.clear();
  ASSERT_TRUE(store.put(output));
  EXPECT_EQ(seen, steps{sync_folder}) << "who renamed it may have died before the sync";
  seen.clear();
  blob_store next_life{folder, recording()};
  ASSERT_TRUE(next_life.put(output));
  EXPECT_EQ(seen, (steps{make_folder, sync_folder, make_folder, sync_folder, sync_folder}))
      << "who made the folders may have died before their sync";
}

TEST_F(blobs_test, replaces_what_is_damaged) {
  const std::string other(output.size(), 'y');
  const auto damages = std::vector<std::function<void(const fs::path&)>>{
      [&](const fs::path& path) { std::ofstream{path} << other; },
      [&](const fs::path& path) { fs::resize_file(path, output.size() - 1); },
      [&](const fs::path& path) { fs::resize_file(path, output.size() + 1); },
      [&](const fs::path& path) { fs::resize_file(path, 0); },
      [&](const fs::path& path) {
        fs::remove(path);
        fs::create_symlink("/dev/null", path);
      },
  };
  blob_store store{folder};
  const auto ref = *store.put(output);
  for (std::size_t i = 0; i < damages.size(); ++i) {
    damages[i](path_of(output));
    EXPECT_EQ(code_of(read_blob(folder, ref)), error_code::storage_corrupt) << "damage " << i;
    EXPECT_FALSE(verify_blob(folder, ref)) << "damage " << i;
    ASSERT_TRUE(store.put(output)) << "damage " << i;
    EXPECT_EQ(*read_blob(folder, ref), output) << "damage " << i;
  }
}

TEST_F(blobs_test, names_the_file_that_is_missing_or_damaged) {
  const blob_ref ref{sha256(output), static_cast<std::int64_t>(output.size())};
  const auto missing = read_blob(folder, ref);
  ASSERT_EQ(code_of(missing), error_code::storage_corrupt);
  EXPECT_THAT(missing.error().message, HasSubstr(path_of(output).string()));
  blob_store store{folder};
  ASSERT_TRUE(store.put(output));
  fs::resize_file(path_of(output), 5);
  const auto cut = read_blob(folder, ref);
  EXPECT_THAT(cut.error().message, HasSubstr("5 bytes instead of 300002"));
  EXPECT_THAT(cut.error().message, HasSubstr(path_of(output).string()));
}

// Each step in turn fails, in each way: the error says which, nothing is left half done, and the next try succeeds.
TEST_F(blobs_test, survives_the_failure_of_every_step) {
  const std::vector<std::pair<int, error_code>> failures{{ENOSPC, error_code::storage_full},
                                                         {EDQUOT, error_code::storage_full},
                                                         {EIO, error_code::storage_unavailable},
                                                         {EACCES, error_code::storage_denied},
                                                         {EROFS, error_code::storage_readonly}};
  for (const auto& [failure, expected] : failures) {
    for (int nth = 1;; ++nth) {
      const temporary_folder fresh;
      const auto here = fresh / "blobs";
      int countdown = nth;
      blob_store store{here, [&, code = failure](blob_step) { return --countdown == 0 ? code : 0; }};
      const auto stored = store.put(output);
      if (countdown > 0) {
        ASSERT_TRUE(stored);
        EXPECT_EQ(nth, 10) << "a put has nine steps";
        break;
      }
      ASSERT_EQ(code_of(stored), expected) << "step " << nth;
      EXPECT_THAT(stored.error().message, HasSubstr(fresh.path().string())) << "step " << nth;
      for (const auto& name : file_names(here)) {
        EXPECT_EQ(name, sha256_hex(output)) << "left behind by step " << nth;
      }
      const auto again = store.put(output);
      ASSERT_TRUE(again) << "step " << nth << ": " << again.error().message;
      EXPECT_EQ(*read_blob(here, *again), output);
    }
  }
}

TEST_F(blobs_test, makes_a_folder_anew_that_somebody_removed) {
  blob_store store{folder};
  ASSERT_TRUE(store.put(output));
  fs::remove_all(folder);
  EXPECT_FALSE(store.put(output));
  EXPECT_TRUE(store.put(output));
}

TEST_F(blobs_test, says_what_is_in_the_way_of_the_folder) {
  std::ofstream{folder} << "not a folder";
  blob_store store{folder};
  const auto stored = store.put(output);
  ASSERT_EQ(code_of(stored), error_code::storage_unavailable);
  EXPECT_THAT(stored.error().message, HasSubstr(folder.string()));
}

TEST_F(blobs_test, removes_what_a_dead_process_left_half_written) {
  blob_store store{folder};
  const auto ref = *store.put(output);
  std::ofstream{folder / ".partial-4711-1"} << "half";
  store.remove_partial();
  EXPECT_EQ(file_names(folder), std::set<std::string>{to_hex(ref.digest)});
}

TEST_F(blobs_test, lists_the_files_of_a_shard_and_nothing_else) {
  blob_store store{folder};
  const auto ref = *store.put(output);
  const int shard = ref.digest.front();
  std::ofstream{path_of(output).parent_path() / "README"} << "mine";
  EXPECT_EQ(*list_blobs(folder, shard), std::vector{ref.digest});
  EXPECT_THAT(*list_blobs(folder, (shard + 1) % blob_shards), IsEmpty());
  EXPECT_THAT(*list_blobs(place / "nowhere", shard), IsEmpty());
}

TEST_F(blobs_test, takes_a_file_from_another_folder_by_a_link_and_never_a_damaged_one) {
  blob_store source{folder};
  const auto ref = *source.put(output);
  const auto other = place / "copy.blobs";
  blob_store target{other};
  ASSERT_TRUE(target.take(ref, folder));
  EXPECT_EQ(fs::hard_link_count(path_of(output)), 2U);
  ASSERT_TRUE(target.take(ref, folder)) << "a second time it is there already";
  std::ofstream{path_of(output), std::ios::app} << "more";
  EXPECT_EQ(code_of(blob_store{place / "third"}.take(ref, folder)), error_code::storage_corrupt);
}

// --- A file system that is really full -------------------------------------------------------------------------------

constexpr int not_allowed = 77;

// `act` in a process of its own, which gives what it came to as its exit code: 0 is well.
template <class Act>
int in_a_child(Act act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(act());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int expect_refused(const fs::path& folder, error_code expected) {
  blob_store store{folder};
  const std::string large(std::size_t{4} << 20U, 'x');
  const auto refused = store.put(large);
  if (code_of(refused) != expected) {
    return 2;
  }
  if (!file_names(folder).empty()) {
    return 3;
  }
  const auto small = store.put(large.substr(0, 10'000));
  return small && read_blob(folder, *small) ? 0 : 4;
}

TEST_F(blobs_test, says_that_a_small_file_system_is_full_and_leaves_nothing) {
  const int code = in_a_child([&] {
    const auto mount_point = place / "small";
    fs::create_directory(mount_point);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", mount_point.c_str(), "tmpfs", 0, "size=1m") != 0) {
      return not_allowed;
    }
    return expect_refused(mount_point / "blobs", error_code::storage_full);
  });
  if (code == not_allowed) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  EXPECT_EQ(code, 0);
}

TEST_F(blobs_test, leaves_nothing_of_a_write_that_comes_short) {
  EXPECT_EQ(in_a_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{std::size_t{1} << 20U, std::size_t{1} << 20U};
              return ::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? expect_refused(folder, error_code::storage_unavailable)
                                                            : 9;
            }),
            0);
}

}  // namespace
}  // namespace troupe
