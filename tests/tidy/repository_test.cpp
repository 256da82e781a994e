// This repository against the walls.
#include "tests/tidy/repository.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace troupe::tidy {
namespace {

const std::filesystem::path& root() {
  static const std::filesystem::path here{TROUPE_SOURCE_DIR};
  return here;
}

const std::vector<source_file>& sources() {
  static const auto all = sources_of(root());
  return all;
}

std::string lines(const std::vector<finding>& found) {
  std::string text;
  for (const auto& one : found) {
    text += to_string(one) + '\n';
  }
  return text;
}

template <class Check>
std::string findings(const std::vector<source_file>& files, Check check) {
  std::string text;
  for (const auto& file : files) {
    text += lines(check(file));
  }
  return text;
}

TEST(repository, is_read_at_all) {
  EXPECT_GT(sources().size(), 100U);
  EXPECT_GT(texts_of(root()).size(), sources().size());
  EXPECT_GE(decisions_of(root()).size(), 2U);
}

TEST(repository, includes_only_downward) {
  // What the build generates beside the sources.
  file_set all{"runtime/version.hpp", "storage/schema_sql.hpp"};
  for (const auto& file : sources()) {
    all.insert(file.path);
  }
  EXPECT_EQ(findings(sources(), [&](const source_file& file) { return check_floors(file, all); }), "");
}

TEST(repository, includes_libraries_where_they_belong) { EXPECT_EQ(findings(sources(), check_third_parties), ""); }

TEST(repository, has_guards_sizes_and_words_in_order) { EXPECT_EQ(findings(sources(), check_text), ""); }

// `[folder/file, ...]` behind each guarantee of docs/guarantees.md.
TEST(repository, every_guarantee_names_tests_that_are_there) {
  std::ifstream page{root() / "docs/guarantees.md"};
  const std::string text{std::istreambuf_iterator<char>{page}, {}};
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_/";
  int named = 0;
  std::string missing;
  for (auto at = text.find("_test"); at != std::string::npos; at = text.find("_test", at + 1)) {
    const auto first = text.find_last_not_of(letters, at) + 1;
    const auto name = text.substr(first, text.find_first_not_of(letters, at) - first);
    ++named;
    missing += std::filesystem::exists(root() / "tests" / (name + ".cpp")) ? "" : name + '\n';
  }
  EXPECT_EQ(missing, "");
  EXPECT_GT(named, 20);
}

TEST(repository, names_no_folder_of_the_machine_it_was_written_on) {
  EXPECT_EQ(findings(texts_of(root()), [](const source_file& file) { return check_paths(file, root().string()); }), "");
}

TEST(repository, numbers_its_decisions) { EXPECT_EQ(lines(check_decisions(decisions_of(root()))), ""); }

}  // namespace
}  // namespace troupe::tidy
