#include "runtime/cassettes/cassette_folder.hpp"

#include "config/file_text.hpp"
#include "runtime/cassettes/cassette_player.hpp"
#include "runtime/cassettes/recording_thread.hpp"
#include "storage/system_error.hpp"
#include "storage/whole_file.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".cassette.json";
constexpr std::size_t hash_digits = 16;  // in the name: enough to tell requests of one place apart

error refused(const fs::path& path, const std::string& what, const std::string& hint) {
  return {error_code::invalid_input, what + ": " + path.string(), hint};
}

// Names of agents are keys of a configuration: they may hold what a file name may not.
std::string fit_for_a_name(const std::string& text) {
  std::string name;
  for (const char each : text) {
    const bool fits = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                      each == '-' || each == '_';
    name += fits ? each : '_';
  }
  return name.substr(0, 64);
}

error too_large(const recorded_request& asked, std::size_t bytes) {
  return {error_code::output_too_large,
          "the answer of agent '" + asked.agent.str() + "' to step '" + asked.place.step.str() +
              "' makes a cassette of " + std::to_string(bytes) + " bytes, and none above " +
              std::to_string(file_bytes_max >> 20U) + " MiB can be played; nothing was written",
          "let the agent print less, or set a smaller output_limit for it"};
}

result<cassette> read(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_regular_file(path, unknown)) {
    return refused(path, "this cassette is no file", "take it out of the folder");
  }
  const auto file = read_file_text(path.string());
  if (!file.text) {
    return refused(path, "the cassette cannot be read (" + file.why + ")", "look at the file's permissions");
  }
  auto parsed = parse_cassette(*file.text);
  if (!parsed) {
    return refused(path, "this is no cassette (" + parsed.error().message + ")", parsed.error().hint);
  }
  return parsed;
}

}  // namespace

std::string file_name(const recorded_request& asked) {
  const auto& place = asked.place;
  const std::string element = place.element < 0 ? "" : '.' + std::to_string(place.element);
  const auto digits = asked.hash.substr(asked.hash.find(':') + 1, hash_digits);
  return std::to_string(place.superstep.value()) + '.' + fit_for_a_name(place.step.str()) + element + '.' +
         fit_for_a_name(asked.agent.str()) + '.' + std::to_string(place.attempt.value()) + '.' + digits +
         std::string{ending};
}

status write_cassette(const fs::path& folder, const cassette& what) {
  const auto text = to_text(what);
  if (text.size() > file_bytes_max) {
    return too_large(what.asked, text.size());
  }
  const auto path = folder / file_name(what.asked);
  int failure = write_whole_file(path, text, folder);
  if (failure == 0) {
    failure = sync_folder(folder);
  }
  return failure == 0 ? status{done} : system_error(failure, "the cassette cannot be written", path);
}

result<std::shared_ptr<answer_recorder>> record_into(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed || !fs::is_directory(folder) || why_not_writable(folder / ending) != 0) {
    return refused(folder, "answers cannot be recorded in this folder", "name a folder that you may write");
  }
  const auto write = [folder](const cassette& what) { return write_cassette(folder, what); };
  return std::shared_ptr<answer_recorder>{std::make_shared<recording_thread>(write)};
}

result<std::shared_ptr<answer_player>> play_from(const fs::path& folder) {
  std::error_code failed;
  std::vector<fs::path> paths;
  for (const auto& each : fs::directory_iterator{folder, failed}) {
    if (each.path().filename().string().ends_with(ending)) {
      paths.push_back(each.path());
    }
  }
  if (failed) {
    return refused(folder,
                   "answers cannot be played from this folder (" + failed.message() + ")",
                   "record them first: troupe run WORKFLOW --record DIR");
  }
  std::ranges::sort(paths);
  std::vector<cassette> all;
  for (const auto& path : paths) {
    auto one = read(path);
    if (!one) {
      return one.error();
    }
    all.push_back(*std::move(one));
  }
  return std::shared_ptr<answer_player>{std::make_shared<cassette_player>(folder.string(), std::move(all))};
}

}  // namespace troupe
