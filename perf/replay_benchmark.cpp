// Runs of 1,000 supersteps, replayed from their journals (CP-4): pinned text read, rows read, plan, comparison.
#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "perf/report.hpp"
#include "runtime/node.hpp"
#include "runtime/replaying.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::perf {
namespace {

constexpr int steps = 1'000;

template <class T>
T must(result<T>&& outcome) {
  if (!outcome) {
    throw std::runtime_error{outcome.error().message};
  }
  return *std::move(outcome);
}

// Each step with a field of its own, so that the state grows to 1,000.
std::string chain_of(const std::string& executor) {
  std::string text = "name = 'chain'\n";
  for (int i = 1; i <= steps; ++i) {
    const auto id = std::to_string(i);
    text.append("[[step]]\nid = 's").append(id).append("'\n").append(executor);
    text += i < steps ? "next = 's" + std::to_string(i + 1) + "'\n" : "";
  }
  return text;
}

// Two steps that take turns, until the run may do no more.
std::string loop() {
  const auto step = [](const char* id, const char* next) {
    return std::string{"[[step]]\nid = '"} + id + "'\nfunction = 'probe.echo'\nprompt = 'go on'\nnext = '" + next +
           "'\n";
  };
  return "name = 'loop'\n[limits]\nmax_steps = " + std::to_string(steps) + '\n' + step("ping", "pong") +
         step("pong", "ping");
}

settings_ptr settings_for(const std::filesystem::path& folder) {
  config_sources sources;
  sources.files.push_back({(folder / "troupe.toml").string(),
                           "[agents.child]\nparse = 'json'\ncommand = ['" TROUPE_SCRIPTED_CHILD_PATH
                           "', 'print', '{\"decision\":\"yes\"}']\n",
                           true});
  sources.assignments = {"storage.path=" + (folder / "troupe.db").string(),
                         "runtime.custodian=" TROUPE_CUSTODIAN_PATH,
                         "storage.durability=normal"};
  sources.working_directory = folder;
  auto loaded = load_config(sources);
  if (loaded.values == nullptr) {
    throw std::runtime_error{"the configuration is refused"};
  }
  return loaded.values;
}

void carry_out(node& in, const std::string& toml, const std::string& id) {
  const auto loaded = parse_workflow(toml, id, "");
  if (loaded.flow == nullptr) {
    throw std::runtime_error{"the workflow is refused"};
  }
  submission what;
  what.flow = loaded.flow;
  what.id = run_id{id};
  run_recorder recorder;
  must(in.submit(std::move(what)));
  in.subscribe(run_id{id}, event_seq{}, recorder.listener());
  if (!recorder.wait_for_end(std::chrono::seconds{120})) {
    throw std::runtime_error{"run " + id + " does not end"};
  }
}

sample replays(read_session& stored, const std::string& id, std::size_t rounds) {
  sample all;
  for (std::size_t i = 0; i < rounds + 3; ++i) {
    const auto report = must(replay_run(stored, run_id{id}, replay_mode::strict));
    if (!report.mismatches.empty() || report.supersteps < steps) {
      throw std::runtime_error{"run " + id + " is not what its journal says"};
    }
    if (i >= 3) {
      all.push_back(std::chrono::duration<double, std::milli>(report.took).count());
    }
  }
  return all;
}

void run(report& to) {
  const temporary_folder folder;
  const auto settings = settings_for(folder.path());
  {
    const auto running = must(node::start({settings, {}}));
    carry_out(*running, loop(), "loop");
    carry_out(*running, chain_of("function = 'probe.echo'\n"), "functions");
    carry_out(*running, chain_of("agent = 'child'\n"), "agents");
  }
  storage_options storage;
  storage.path = folder / "troupe.db";
  const auto stored = must(read_session::open(storage));
  const auto rounds = to.with().rounds(50);
  const auto in_loop = replays(*stored, "loop", rounds);
  const auto functions = replays(*stored, "functions", rounds);
  const auto agents = replays(*stored, "agents", rounds);
  to.section("1,000 supersteps, replayed");
  to.figure("two functions that take turns", "ms", in_loop);
  to.figure("a chain of functions, 1,000 fields", "ms", functions);
  to.figure("a chain of agents, 1,000 fields, outputs read again", "ms", agents);
  to.at_most("CP-4", "1,000 supersteps in turns, p95", quantile(in_loop, 0.95), 100, "ms");
  to.at_most("CP-4", "1,000 supersteps, 1,000 fields, p95", quantile(functions, 0.95), 100, "ms");
  to.at_most("CP-4", "1,000 supersteps of agents, p95", quantile(agents, 0.95), 100, "ms");
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("replay_benchmark", count, arguments, troupe::perf::run);
}
