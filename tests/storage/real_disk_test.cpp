// ST-10 on real file systems: one that is full, one that may only be read, files and folders of somebody else. Each has
// its code and a hint; nothing that was acknowledged is lost, and nothing that is there is touched.
#include "storage/check.hpp"
#include "storage/database.hpp"
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/storage/workload.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {
namespace {

namespace fs = std::filesystem;

void fill(const fs::path& file, std::size_t bytes) { std::ofstream{file, std::ios::binary} << std::string(bytes, 'b'); }

// The writer goes on until it is refused; the number of transactions that were acknowledged.
std::size_t tell_until_full(const storage_options& options, const std::vector<transaction_commands>& workload) {
  auto session = writer_on(options);
  for (std::size_t i = 0; i < workload.size(); ++i) {
    if (const auto told = tell(*session, workload[i]); !told) {
      EXPECT_EQ(told.error().code, error_code::storage_full) << told.error().message;
      EXPECT_NE(told.error().hint.find("free some space"), std::string::npos) << told.error().hint;
      EXPECT_TRUE(session->broken());
      return i;
    }
  }
  ADD_FAILURE() << "the disk was never full";
  return workload.size();
}

void write_to_a_full_disk(const temporary_database& place) {
  const auto refused = mount_in_memory(place.folder(), "size=3m");
  ASSERT_FALSE(refused) << *refused;
  const auto ballast = place.folder() / "ballast";
  fill(ballast, 1 << 20);
  const auto options = place.options();
  const auto workload = make_workload(400);
  const auto acknowledged = tell_until_full(options, workload);
  ASSERT_GT(acknowledged, 20U);

  // As long as it is full: what is there can be read and is whole, and asking again is refused in the same way.
  const auto reader = read_session::open(options);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_TRUE((*reader)->find_run(run_id{"r-0"}));
  const auto again = write_session::open(options, lease_epoch{1});
  if (!again) {
    EXPECT_EQ(again.error().code, error_code::storage_full) << again.error().message;
  }

  fs::remove(ballast);
  auto session = writer_on(options);
  for (std::size_t i = 0; i <= acknowledged; ++i) {
    const auto told = tell(*session, workload[i]);
    ASSERT_TRUE(told) << i << ": " << told.error().message;
    EXPECT_EQ(told->front().receipt.repeated, i < acknowledged) << i;
  }
  session.reset();
  const auto findings = check_database(options);
  ASSERT_TRUE(findings) << findings.error().message;
  EXPECT_TRUE(findings->empty()) << findings->front().text;
}

class real_disk : public testing::Test {
 protected:
  // Errors of everything that opens the file, by what it is.
  static std::map<std::string, std::optional<error>> errors_of(const storage_options& options) {
    std::map<std::string, std::optional<error>> found;
    const auto keep = [&found](const char* what, const auto& outcome) {
      found[what] = outcome ? std::nullopt : std::optional{outcome.error()};
    };
    keep("write", write_session::open(options, lease_epoch{1}));
    keep("lease", lease::acquire(options, {4711, "here", at_second(0)}));
    keep("read", read_session::open(options));
    keep("check", check_database(options));
    return found;
  }

  static void expect_refused(const std::map<std::string, std::optional<error>>& errors,
                             const std::string& what,
                             error_code code,
                             std::string_view hint) {
    const auto& why = errors.at(what);
    ASSERT_TRUE(why) << what << " was allowed";
    EXPECT_EQ(why->code, code) << what << ": " << why->message;
    EXPECT_NE(why->hint.find(hint), std::string::npos) << what << ": " << why->message << why->hint;
  }

  static void expect_denied(const std::map<std::string, std::optional<error>>& errors, const std::string& what) {
    expect_refused(errors, what, error_code::storage_denied, "owner and mode");
  }

  // Everything that is in the folder, with the bytes of the files.
  static std::map<std::string, std::string> contents(const fs::path& folder) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::directory_iterator{folder}) {
      all[entry.path().filename().string()] = fingerprint_of(entry.path());
    }
    return all;
  }

  void make_database() {
    auto session = writer_on(place.options());
    story told{"r-0"};
    must_write(*session, told.created());
  }

  temporary_database place;
};

TEST_F(real_disk, that_is_full_costs_nothing_that_was_acknowledged) {
  if (const auto why = why_no_mounts(place.folder())) {
    GTEST_SKIP() << "no small file system can be mounted here: " << *why;
  }
  EXPECT_TRUE(passes_in_child([&] { write_to_a_full_disk(place); }));
}

TEST_F(real_disk, that_is_full_before_there_is_a_database_says_so) {
  if (const auto why = why_no_mounts(place.folder())) {
    GTEST_SKIP() << "no small file system can be mounted here: " << *why;
  }
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_FALSE(mount_in_memory(place.folder(), "size=256k"));
    constexpr std::size_t kib = 1'024;
    for (std::size_t room = 0; room <= 128 * kib; room += 16 * kib) {
      fill(place.folder() / "ballast", 256 * kib - room);
      const auto opened = write_session::open(place.options(), lease_epoch{1});
      if (!opened) {
        EXPECT_EQ(opened.error().code, error_code::storage_full) << room << ": " << opened.error().message;
        EXPECT_NE(opened.error().hint.find("free some space"), std::string::npos) << opened.error().message;
      }
      for (const std::string suffix : {"", "-wal", "-shm", "-journal"}) {
        fs::remove(place.path().string() + suffix);
      }
    }
  }));
}

TEST_F(real_disk, that_may_only_be_read_is_read) {
  if (const auto why = why_no_mounts(place.folder())) {
    GTEST_SKIP() << "no small file system can be mounted here: " << *why;
  }
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_FALSE(mount_in_memory(place.folder(), "size=4m"));
    make_database();
    ASSERT_EQ(::mount(nullptr, place.folder().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const auto before = contents(place.folder());
    const auto errors = errors_of(place.options());
    for (const std::string what : {"write", "lease"}) {
      expect_refused(errors, what, error_code::storage_readonly, "mount it for writing");
    }
    EXPECT_EQ(contents(place.folder()), before);
  }));
}

TEST_F(real_disk, of_somebody_else_with_a_closed_file_is_left_alone) {
  make_database();
  fs::permissions(place.folder(), fs::perms{0777});
  fs::permissions(place.path(), ::geteuid() == 0 ? fs::perms{0600} : fs::perms{0000});
  const auto before = contents(place.folder());
  EXPECT_TRUE(passes_in_child([&] {
    become_nobody();
    const auto errors = errors_of(place.options());
    for (const std::string what : {"write", "lease", "read", "check"}) {
      expect_denied(errors, what);
    }
  }));
  fs::permissions(place.path(), fs::perms{0600});
  EXPECT_EQ(contents(place.folder()), before);
}

TEST_F(real_disk, of_somebody_else_with_a_closed_folder_is_left_alone) {
  make_database();
  fs::permissions(place.path(), fs::perms{0644});
  fs::permissions(place.folder(), fs::perms{0555});
  const auto before = contents(place.folder());
  EXPECT_TRUE(passes_in_child([&] {
    become_nobody();
    const auto errors = errors_of(place.options());
    expect_denied(errors, "write");
    expect_denied(errors, "lease");
  }));
  EXPECT_EQ(contents(place.folder()), before);
  fs::permissions(place.folder(), fs::perms{0700});
}

TEST_F(real_disk, without_a_database_in_a_closed_folder_gets_none) {
  fs::permissions(place.folder(), fs::perms{0555});
  EXPECT_TRUE(passes_in_child([&] {
    become_nobody();
    const auto errors = errors_of(place.options());
    expect_denied(errors, "write");
    expect_denied(errors, "lease");
  }));
  EXPECT_TRUE(contents(place.folder()).empty());
  fs::permissions(place.folder(), fs::perms{0700});
}

}  // namespace
}  // namespace troupe
