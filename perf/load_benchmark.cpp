// What reading a configuration and a workflow costs (CF-1).
#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "perf/report.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>

namespace troupe::perf {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t warm_up = 5;
constexpr int agents = 50;
constexpr int steps = 200;

std::string agents_text() {
  std::string text = "[writer]\nmax_batch = 64\n";
  for (int i = 0; i < agents; ++i) {
    text += "[agents.a";
    text += std::to_string(i);
    text += "]\ncommand = ['tool', '--flag', 'x']\nparse = 'json'\npass_env = ['HOME', 'PATH']\n";
  }
  return text;
}

std::string steps_text() {
  std::string text = "name = 'chain'\n[inputs.topic]\nrequired = true\n";
  for (int i = 0; i < steps; ++i) {
    text += "[[step]]\nid = 's";
    text += std::to_string(i);
    text += "'\nagents = ['a', 'b', 'c']\nprompt = 'Say something about {{inputs.topic}}.'\n";
    if (i + 1 < steps) {
      text += "next = 's";
      text += std::to_string(i + 1);
      text += "'\n";
    }
  }
  return text;
}

template <class Act>
sample milliseconds_of(std::size_t rounds, Act act) {
  sample took;
  took.reserve(rounds);
  for (std::size_t i = 0; i < rounds + warm_up; ++i) {
    const auto begun = clock::now();
    act();
    if (i >= warm_up) {
      took.push_back(std::chrono::duration<double, std::milli>(clock::now() - begun).count());
    }
  }
  return took;
}

void run(report& to) {
  const temporary_folder place;
  std::ofstream{place / "user.toml"} << agents_text();
  std::ofstream{place / "project.toml"} << "[log]\nlevel = 'debug'\n";
  config_sources from;
  from.files = {{place / "user.toml", {}, true}, {place / "project.toml", {}, true}};
  from.environment = {{"HOME", "/nobody"}, {"TROUPE_WRITER__MAX_BATCH", "32"}};
  from.assignments = {"log.level=info"};
  from.working_directory = place.path();
  const auto loading = milliseconds_of(to.with().rounds(300), [&] {
    if (load_config(from).values == nullptr) {
      throw std::runtime_error{"the configuration is refused"};
    }
  });
  const std::string text = steps_text();
  const auto reading = milliseconds_of(to.with().rounds(300), [&] {
    if (parse_workflow(text, "chain.toml", "").flow == nullptr) {
      throw std::runtime_error{"the workflow is refused"};
    }
  });
  to.section("reading");
  to.figure("configuration: two files, 50 agents, environment, --set", "ms", loading);
  to.figure("workflow of 200 steps: parsed and checked", "ms", reading);
  to.at_most("CF-1", "configuration, median", median(loading), 5, "ms");
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("load_benchmark", count, arguments, troupe::perf::run);
}
