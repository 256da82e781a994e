// Reading somebody else's database without a trace.
#include "storage/database.hpp"
#include "storage/legacy_source.hpp"
#include "storage/migrations.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/older_database.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <string>

namespace troupe {
namespace {

using testing::HasSubstr;

/// Another process that does `body`, tells so, and holds what it has until it is killed.
class other_program {
 public:
  explicit other_program(const std::function<void()>& body) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      body();
      static_cast<void>(!::write(pipe[1], "r", 1));
      while (true) {
        ::pause();
      }
    }
    ::close(pipe[1]);
    char ready = 0;
    EXPECT_EQ(::read(pipe[0], &ready, 1), 1);
    ::close(pipe[0]);
  }
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;
  ~other_program() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

class legacy_copy_test : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "consensus.db"; }

  result<legacy_source> open() const { return legacy_source::open(path(), scratch_.path()); }

  void make(const char* journal_mode) const {
    older_database old{path()};
    old.run(std::string{"PRAGMA journal_mode="} + journal_mode);
    old.artefact("'S', 'plan', 'a', '1', NULL, 'r', 1760790896");
  }

  /// A program that has one more row in its log or journal, and goes on.
  static void write_more(older_database& old) { old.artefact("'S', 'plan', 'b', '2', NULL, 'r', 1760790896"); }

  /// Name, size, time and bytes of every file.
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> all;
    for (const auto& each : std::filesystem::directory_iterator{folder_.path()}) {
      struct stat facts {};
      EXPECT_EQ(::stat(each.path().c_str(), &facts), 0);
      all[each.path().filename()] = std::to_string(facts.st_mtim.tv_sec) + '.' + std::to_string(facts.st_mtim.tv_nsec) +
                                    ' ' + std::to_string(facts.st_ino) + ' ' + fingerprint_of(each.path());
    }
    struct stat facts {};
    EXPECT_EQ(::stat(folder_.path().c_str(), &facts), 0);
    all["."] = std::to_string(facts.st_mtim.tv_sec) + '.' + std::to_string(facts.st_mtim.tv_nsec);
    return all;
  }

  temporary_folder folder_;
  temporary_folder scratch_;
};

TEST_F(legacy_copy_test, leaves_no_trace_beside_a_file_at_rest) {
  for (const char* const mode : {"DELETE", "WAL"}) {
    std::filesystem::remove(path());
    make(mode);
    const auto before = everything();
    {
      auto source = open();
      ASSERT_TRUE(source) << source.error().message;
      EXPECT_EQ(source->entries().size(), 1U);
      EXPECT_TRUE(std::filesystem::is_empty(scratch_.path())) << "the copy has no name any more";
      EXPECT_EQ(source->row(source->entries().front()).columns.count("spec_id"), 1U);
    }
    EXPECT_EQ(everything(), before) << mode;
  }
}

TEST_F(legacy_copy_test, reads_what_only_the_log_has_while_its_program_lives) {
  make("WAL");
  const other_program writing{[&] {
    static auto* const old = new older_database{path()};  // NOLINT(cppcoreguidelines-owning-memory): held till the kill
    old->run("PRAGMA wal_autocheckpoint=0");
    write_more(*old);
  }};
  ASSERT_GT(std::filesystem::file_size(path().string() + "-wal"), 0U);
  const auto before = everything();
  auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entries().size(), 2U);
  EXPECT_EQ(everything(), before);
}

TEST_F(legacy_copy_test, reads_what_only_the_log_has_after_its_program_was_killed) {
  make("WAL");
  {
    const other_program writing{[&] {
      static auto* const old =
          new older_database{path()};  // NOLINT(cppcoreguidelines-owning-memory): held till the kill
      old->run("PRAGMA wal_autocheckpoint=0");
      write_more(*old);
      old->run("BEGIN; DELETE FROM consensus_artifacts");
    }};
  }
  std::filesystem::remove(path().string() + "-shm");
  const auto before = everything();
  auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entries().size(), 2U) << "what is committed, and no more";
  EXPECT_EQ(everything(), before);
}

TEST_F(legacy_copy_test, undoes_in_its_copy_what_a_killed_program_left_half_done) {
  make("DELETE");
  {
    const other_program writing{[&] {
      static auto* const old =
          new older_database{path()};  // NOLINT(cppcoreguidelines-owning-memory): held till the kill
      old->run("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN");
      for (int i = 0; i < 2'000; ++i) {
        write_more(*old);
      }
    }};
  }
  ASSERT_GT(std::filesystem::file_size(path().string() + "-journal"), 0U);
  const auto before = everything();
  auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entries().size(), 1U);
  EXPECT_EQ(everything(), before);
}

TEST_F(legacy_copy_test, says_so_where_another_program_writes) {
  make("DELETE");
  const other_program writing{[&] {
    static auto* const old = new older_database{path()};  // NOLINT(cppcoreguidelines-owning-memory): held till the kill
    old->run("BEGIN EXCLUSIVE");
  }};
  const auto before = everything();
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::storage_busy);
  EXPECT_THAT(refused.error().hint, HasSubstr("try again"));
  EXPECT_EQ(everything(), before);
}

TEST_F(legacy_copy_test, follows_a_link_to_the_log_of_its_file) {
  make("WAL");
  const other_program writing{[&] {
    static auto* const old = new older_database{path()};  // NOLINT(cppcoreguidelines-owning-memory): held till the kill
    old->run("PRAGMA wal_autocheckpoint=0");
    write_more(*old);
  }};
  const temporary_folder elsewhere;
  std::filesystem::create_symlink(path(), elsewhere / "link.db");
  auto source = legacy_source::open(elsewhere / "link.db", scratch_.path());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entries().size(), 2U);
}

TEST_F(legacy_copy_test, refuses_what_is_no_older_database) {
  const auto refused = [&](error_code code, std::string_view part) {
    const auto outcome = open();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, code) << outcome.error().message;
    EXPECT_THAT(outcome.error().message, HasSubstr(part));
    EXPECT_NE(outcome.error().hint, "");
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
  };
  refused(error_code::not_found, "there is no file");
  std::filesystem::create_directory(path());
  refused(error_code::invalid_input, "not a file");
  std::filesystem::remove(path());
  std::ofstream{path()} << "";
  refused(error_code::invalid_input, "not a SQLite database");
  std::ofstream{path()} << "id,spec_id,stage\n1,SPEC-1,plan\n";
  refused(error_code::invalid_input, "not a SQLite database");
  std::filesystem::remove(path());
  SQLite::Database{path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
      "CREATE TABLE songs (x); CREATE TABLE albums (x)");
  refused(error_code::invalid_input, "which has albums, songs");
  std::filesystem::remove(path());
  {
    storage_options options;
    options.path = path();
    auto ours = database::open(options);
    ASSERT_TRUE(ours);
    ASSERT_TRUE(migrate(*ours, migration_sources()));
  }
  refused(error_code::invalid_input, "Troupe's");
}

TEST_F(legacy_copy_test, refuses_a_damaged_file) {
  older_database{path()}.fill(1, 300);
  {
    std::fstream file{path(), std::ios::binary | std::ios::in | std::ios::out};
    constexpr std::streamoff page = 4'096;
    for (std::streamoff at = 3 * page; at < 12 * page; at += page) {
      file.seekp(at);
      file << std::string(512, '\x5a');
    }
  }
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::storage_corrupt) << refused.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(legacy_copy_test, refuses_where_it_has_no_place_for_its_copy) {
  make("DELETE");
  const auto refused = legacy_source::open(path(), "/proc/nowhere");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::storage_unavailable);
  EXPECT_THAT(refused.error().hint, HasSubstr("TMPDIR"));
}

}  // namespace
}  // namespace troupe
