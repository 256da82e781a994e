// What several tests of config/ share: texts, folders, and problems as one line each.
#pragma once

#include "config/load.hpp"
#include "config/problem.hpp"
#include "config/workflow_check.hpp"
#include "config/workflow_file.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

/// `12:3 error key: message | hint`
inline std::string line_of(const problem& found) {
  return std::to_string(found.at.line) + ':' + std::to_string(found.at.column) +
         (found.weight == problem::severity::error ? " error " : " warning ") + found.key + ": " + found.message +
         (found.hint.empty() ? "" : " | " + found.hint);
}

inline std::vector<std::string> lines_of(const std::vector<problem>& found) {
  std::vector<std::string> out;
  for (const auto& each : found) {
    out.push_back(line_of(each));
  }
  return out;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) {
    out += line + '\n';
  }
  return out;
}

/// Agents a, b, c, claude (commands) and remote (http); functions merge_branches and the probes.
inline check_context known_names() {
  check_context known;
  known.agents.emplace();
  for (const char* name : {"a", "b", "c", "claude"}) {
    known.agents->emplace(agent_name{name}, agent_kind::command);
  }
  known.agents->emplace(agent_name{"remote"}, agent_kind::http);
  known.functions = {"merge_branches",
                     "probe.set",
                     "probe.append",
                     "probe.add",
                     "probe.sleep",
                     "probe.fail",
                     "probe.rng",
                     "probe.route",
                     "probe.log",
                     "probe.echo",
                     "probe.usage",
                     "probe.crash",
                     "probe.expect"};
  return known;
}

inline std::vector<std::string> check_text(std::string_view text) {
  return lines_of(check_workflow(parse_workflow(text, "f.toml", "/nowhere"), known_names()));
}

inline config_sources sources_of(std::string text) {
  config_sources sources;
  sources.environment = {{"HOME", "/home/ann"}, {"PATH", "/usr/bin:/bin"}};
  sources.working_directory = "/srv/project";
  sources.files = {{"/etc/t/troupe.toml", std::move(text), true}};
  return sources;
}

/// Removed with what is in it.
class temporary_folder {
 public:
  temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-config-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string path(const std::string& name) const { return path_ + '/' + name; }
  const std::string& str() const noexcept { return path_; }

  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path{path(name)}.parent_path());
    std::ofstream{path(name), std::ios::binary} << text;
    return path(name);
  }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace troupe::test
