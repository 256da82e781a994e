#include "tests/tidy/repository.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::tidy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 7> source_folders{
    "messages", "config", "storage", "actors", "runtime", "tests", "perf"};

std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    throw std::runtime_error{"cannot read " + file.string()};
  }
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

bool is_source(const fs::path& file) { return file.extension() == ".cpp" || file.extension() == ".hpp"; }

bool is_text(const fs::path& file) {
  static const std::set<std::string> endings{
      ".cpp", ".hpp", ".h", ".txt", ".cmake", ".json", ".md", ".toml", ".sql", ".yml", ".yaml", ".py", ".sh", ".in"};
  static const std::set<std::string> whole_names{"dev", "run", "LICENSE", ".gitignore", ".clang-format", ".clang-tidy"};
  return endings.contains(file.extension().string()) || whole_names.contains(file.filename().string());
}

template <class Predicate>
void add_files(std::vector<source_file>& files, const fs::path& root, const fs::path& folder, Predicate wanted) {
  if (!fs::is_directory(folder)) {
    return;
  }
  for (auto at = fs::recursive_directory_iterator{folder}; at != fs::recursive_directory_iterator{}; ++at) {
    const auto name = at->path().filename();
    if (at->is_directory() && (name == "build" || name == ".git" || name == ".cache")) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file() && wanted(at->path())) {
      files.push_back({at->path().lexically_relative(root).generic_string(), text_of(at->path())});
    }
  }
}

std::vector<source_file> by_path(std::vector<source_file> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace

std::vector<source_file> sources_of(const fs::path& root) {
  std::vector<source_file> files;
  for (const auto folder : source_folders) {
    add_files(files, root, root / folder, is_source);
  }
  return by_path(std::move(files));
}

std::vector<source_file> texts_of(const fs::path& root) {
  std::vector<source_file> files;
  add_files(files, root, root, is_text);
  return by_path(std::move(files));
}

std::vector<source_file> decisions_of(const fs::path& root) {
  std::vector<source_file> files;
  add_files(files, root, root / "docs" / "adr", [](const fs::path& file) { return file.extension() == ".md"; });
  return by_path(std::move(files));
}

}  // namespace troupe::tidy
