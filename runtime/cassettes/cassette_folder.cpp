#include "runtime/cassettes/cassette_folder.hpp"

#include "config/file_text.hpp"
#include "runtime/cassettes/cassette.hpp"
#include "runtime/cassettes/nearest_request.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <system_error>
#include <tuple>
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

// `2.plan.claude.1.0123456789abcdef.cassette.json`: superstep, step, agent, attempt, request.
std::string file_name(const recorded_request& asked) {
  const auto& place = asked.place;
  const std::string element = place.element < 0 ? "" : '.' + std::to_string(place.element);
  const auto digits = asked.hash.substr(asked.hash.find(':') + 1, hash_digits);
  return std::to_string(place.superstep.value()) + '.' + fit_for_a_name(place.step.str()) + element + '.' +
         fit_for_a_name(asked.agent.str()) + '.' + std::to_string(place.attempt.value()) + '.' + digits +
         std::string{ending};
}

class folder_recorder final : public answer_recorder {
 public:
  explicit folder_recorder(fs::path folder) : folder_(std::move(folder)) {}

  status record(const attempt_order& order, const recorded_answer& answer) override {
    const cassette what{request_of(order), answer};
    const auto path = folder_ / file_name(what.asked);
    const auto partial = folder_ / (".partial-" + std::to_string(next_.fetch_add(1)));
    std::ofstream file{partial, std::ios::binary | std::ios::trunc};
    file << to_text(what);
    file.close();
    std::error_code failed;
    if (file) {
      fs::rename(partial, path, failed);
    }
    if (!file || failed) {
      std::error_code ignored;
      fs::remove(partial, ignored);
      return refused(path, "the cassette cannot be written", "look at the disk and the folder's permissions");
    }
    return done;
  }

 private:
  fs::path folder_;
  std::atomic<std::uint64_t> next_ = 1;
};

// Answers to one request from one place: by attempt.
using place_key = std::tuple<step_id, std::int64_t, superstep_no>;  // step, element, superstep
using answers_of_request = std::map<place_key, std::vector<cassette>>;

place_key key_of(const recorded_place& place) { return {place.step, place.element, place.superstep}; }

class folder_player final : public answer_player {
 public:
  folder_player(fs::path folder, std::vector<cassette> all) : folder_(std::move(folder)) {
    std::ranges::stable_sort(all, {}, [](const cassette& each) { return each.asked.place; });
    for (auto& each : all) {
      auto& answers = by_request_[each.asked.hash][key_of(each.asked.place)];
      answers.push_back(std::move(each));
    }
  }

  result<recorded_answer> play(const attempt_order& order) const override {
    const auto asked = request_of(order);
    const auto found = by_request_.find(asked.hash);
    if (found == by_request_.end()) {
      return miss(asked);
    }
    const auto& answers = answers_at(found->second, asked.place);
    const auto nth = std::min(static_cast<std::size_t>(asked.place.attempt.value()), answers.size());
    return answers[nth - 1].answer;
  }

 private:
  static const std::vector<cassette>& answers_at(const answers_of_request& all, const recorded_place& place) {
    const auto wanted = key_of(place);
    auto after = all.upper_bound(wanted);
    if (after != all.begin()) {
      const auto& [before, answers] = *std::prev(after);
      if (std::get<0>(before) == place.step && std::get<1>(before) == place.element) {
        return answers;
      }
    }
    return all.begin()->second;
  }

  error miss(const recorded_request& asked) const {
    std::vector<const recorded_request*> all;
    for (const auto& [hash, places] : by_request_) {
      for (const auto& [place, answers] : places) {
        all.push_back(&answers.front().asked);
      }
    }
    const std::string what = "no answer is recorded in " + folder_.string() + " for what step '" +
                             asked.place.step.str() + "' asks agent '" + asked.agent.str() + "'";
    const std::string hint = "record it: troupe run WORKFLOW --record " + folder_.string();
    const auto* nearest = nearest_request(all, asked);
    if (nearest == nullptr) {
      return {error_code::not_found, what + "; nothing is", hint};
    }
    return {error_code::not_found,
            what + "; the nearest is " + file_name(*nearest) + ", and " + difference(*nearest, asked),
            hint};
  }

  fs::path folder_;
  std::map<std::string, answers_of_request> by_request_;
};

result<cassette> read(const fs::path& path) {
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

result<std::shared_ptr<answer_recorder>> record_into(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  const auto probe = folder / ".partial-0";
  std::ofstream file{probe, std::ios::binary | std::ios::trunc};
  file.close();
  if (failed || !file) {
    return refused(folder, "answers cannot be recorded in this folder", "name a folder that you may write");
  }
  fs::remove(probe, failed);
  return std::shared_ptr<answer_recorder>{std::make_shared<folder_recorder>(folder)};
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
  return std::shared_ptr<answer_player>{std::make_shared<folder_player>(folder, std::move(all))};
}

}  // namespace troupe
