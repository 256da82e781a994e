// Where configuration files are.
#include "config/load.hpp"
#include "config/setting_key.hpp"

#include <filesystem>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view file_name = "troupe.toml";

std::string value_in(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

}  // namespace

std::vector<config_file> find_config_files(const std::map<std::string, std::string>& environment,
                                           std::string_view working_directory,
                                           const std::optional<std::string>& explicit_file) {
  std::vector<config_file> files;
  const std::string home = value_in(environment, "HOME");
  std::string folder = value_in(environment, "XDG_CONFIG_HOME");
  if (!folder.starts_with('/')) {  // The XDG specification: a relative one is to be ignored.
    folder = home.starts_with('/') ? home + "/.config" : "";
  }
  if (!folder.empty()) {
    files.push_back({absolute_path("troupe/" + std::string{file_name}, {folder, home}), {}, false});
  }
  const path_context here{std::string{working_directory}, home};
  files.push_back({absolute_path(file_name, here), {}, false});
  if (explicit_file) {
    files.push_back({absolute_path(*explicit_file, here), {}, true});
  }
  return files;
}

}  // namespace troupe
