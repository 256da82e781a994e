// A large output through the whole program: from an agent to a file, and from there to whoever asks.
#include "storage/blobs.hpp"
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

class large_output_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("troupe.toml", R"([agents.loud]
command = ["sh", "-c", "head -c 1048576 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' e >&2"]
)");
    write("one.toml", R"(name = "one"
[[step]]
id = "ask"
agent = "loud"
prompt = "hello"
)");
    const auto ran = run({"run", "one.toml", "--run-id", "r-1", "-q"});
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  }

  fs::path folder() const { return blob_folder_of(database_path()); }
  fs::path file_of(const std::string& content) const { return blob_path(folder(), sha256(content)); }
};

TEST_F(large_output_test, is_a_file_and_is_printed_from_there) {
  const std::string printed(mebibyte, 'x');
  ASSERT_TRUE(fs::exists(file_of(printed)));
  EXPECT_TRUE(run({"output", "r-1", "ask"}).out == printed);
  EXPECT_THAT(run({"logs", "r-1", "--stderr", "-q"}).out, HasSubstr(std::string(300'000, 'e')));
  const auto info = json_of(run({"db", "info", "--json"}).out);
  EXPECT_EQ(at(info, "/blobs"), "2");
  EXPECT_EQ(at(info, "/blob_bytes"), std::to_string(mebibyte + 300'000));
  EXPECT_THAT(run({"db", "info"}).out, HasSubstr("2 files, 1.3 MiB"));
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

TEST_F(large_output_test, is_kept_once_for_all_who_printed_it_and_the_folder_is_swept_at_the_next_start) {
  blob_store other{folder()};
  ASSERT_TRUE(other.put("put by a process that died before it wrote the row"));
  ASSERT_EQ(run({"run", "one.toml", "--run-id", "r-2", "-q"}).code, 0);
  EXPECT_EQ(at(json_of(run({"db", "info", "--json"}).out), "/blobs"), "2");
  EXPECT_FALSE(fs::exists(file_of("put by a process that died before it wrote the row")));
  EXPECT_EQ(run({"output", "r-2", "ask"}).out.size(), mebibyte);
}

TEST_F(large_output_test, is_named_when_its_file_is_damaged_or_gone) {
  const auto file = file_of(std::string(mebibyte, 'x'));
  fs::resize_file(file, mebibyte - 1);
  for (int i = 0; i < 2; ++i) {
    const auto asked = run({"output", "r-1", "ask"});
    EXPECT_EQ(asked.code, 7);
    EXPECT_EQ(asked.out, "");
    EXPECT_THAT(asked.err, HasSubstr(file.string()));
    const auto json = run({"output", "r-1", "ask", "--json"});
    EXPECT_THAT(json.out + json.err, HasSubstr("STORAGE_CORRUPT"));
    const auto checked = run({"db", "check"});
    EXPECT_EQ(checked.code, 7);
    EXPECT_THAT(checked.out, HasSubstr(file.filename().string()));
    fs::remove(file);
  }
}

TEST_F(large_output_test, stays_in_the_database_below_the_limit) {
  const auto ran = run({"run", "one.toml", "--run-id", "r-2", "-q", "--set", "storage.inline_limit=1MiB"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(at(json_of(run({"db", "info", "--json"}).out), "/blobs"), "2");  // those of r-1
  fs::remove_all(folder());
  EXPECT_EQ(run({"output", "r-2", "ask"}).out.size(), mebibyte);
}

}  // namespace
}  // namespace troupe
