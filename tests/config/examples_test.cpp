// Every file that is shown as an example is one.
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::test {
namespace {

constexpr std::string_view config_ending = ".config.toml";

std::string path_of(const std::string& name) { return std::string{TROUPE_SOURCE_DIR} + '/' + name; }

std::vector<std::string> examples() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator{path_of("docs/examples")}) {
    if (entry.path().extension() == ".toml") {
      paths.push_back(entry.path().string());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

loaded_config config_in(const std::string& path) {
  auto sources = sources_of("");
  sources.files = {{path, {}, true}};
  return load_config(sources);
}

// `review.toml` has its agents in `review.config.toml`, `llm-review.toml` in `llm.config.toml`.
std::string config_of(const std::string& workflow) {
  std::string stem = std::filesystem::path{workflow}.stem().string();
  const auto folder = std::filesystem::path{workflow}.parent_path();
  while (!stem.empty() && !std::filesystem::exists(folder / (stem + std::string{config_ending}))) {
    const auto dash = stem.rfind('-');
    stem.resize(dash == std::string::npos ? 0 : dash);
  }
  return (folder / (stem + std::string{config_ending})).string();
}

// The blocks of a page that are marked as TOML.
std::vector<std::string> blocks_of(const std::string& page) {
  std::istringstream in{read_file(path_of(page))};
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```toml") {
      blocks.emplace_back();
      inside = true;
    } else if (line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      blocks.back() += line + '\n';
    }
  }
  return blocks;
}

TEST(Examples, of_configurations_load) {
  int count = 0;
  for (const auto& path : examples()) {
    if (path.ends_with(config_ending)) {
      ++count;
      EXPECT_EQ(joined(lines_of(config_in(path).problems)), "") << path;
    }
  }
  EXPECT_GE(count, 2);
}

TEST(Examples, of_workflows_pass_the_check) {
  int count = 0;
  for (const auto& path : examples()) {
    if (path.ends_with(config_ending)) {
      continue;
    }
    ++count;
    const auto config = config_in(config_of(path));
    ASSERT_NE(config.values, nullptr) << path << ": its agents belong in " << config_of(path);
    const auto known = make_check_context(*config.values, *known_names().functions);
    EXPECT_EQ(joined(lines_of(check_workflow(load_workflow(path), known))), "") << path;
  }
  EXPECT_GE(count, 2);
}

TEST(Examples, in_pages_are_read) {
  auto known = known_names();
  known.agents.reset();
  std::size_t count = 0;
  for (const char* page :
       {"README.md", "docs/workflow-file.md", "docs/configuration.md", "docs/http-agents.md", "docs/adapters.md"}) {
    for (const auto& block : blocks_of(page)) {
      ++count;
      const bool is_workflow = block.find("[[step]]") != std::string::npos;
      const auto problems = is_workflow ? check_workflow(parse_workflow(block, page, "/nowhere"), known)
                                        : load_config(sources_of(block)).problems;
      EXPECT_EQ(joined(lines_of(problems)), "") << page << ":\n" << block;
    }
  }
  EXPECT_GE(count, 9U);
}

}  // namespace
}  // namespace troupe::test
