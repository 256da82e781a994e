// What a step costs: the plan alone in memory, and a whole node at NORMAL and at FULL beside SQLite alone, which writes
// as many facts in as many commits.
#include "actors/run/plan.hpp"
#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "perf/candidates.hpp"
#include "perf/report.hpp"
#include "runtime/node.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

using std::chrono::steady_clock;

template <class T>
T must(result<T>&& outcome) {
  if (!outcome) {
    throw std::runtime_error{outcome.error().message};
  }
  return *std::move(outcome);
}

double microseconds_since(steady_clock::time_point began) {
  return std::chrono::duration<double, std::micro>(steady_clock::now() - began).count();
}

std::string step(const std::string& id, const std::string& rest) {
  return "[[step]]\nid = '" + id + "'\nfunction = 'nothing'\n" + rest;
}

std::string chain(int length) {
  std::string text = "name = 'chain'\n";
  for (int i = 1; i <= length; ++i) {
    text += step("s" + std::to_string(i), i < length ? "next = 's" + std::to_string(i + 1) + "'\n" : "");
  }
  return text;
}

// One step, `width` behind it, and a join of all of them.
std::string fan_out(int width) {
  std::string ids;
  std::string text;
  for (int i = 0; i < width; ++i) {
    ids += (i == 0 ? "'b" : ", 'b") + std::to_string(i) + '\'';
    text += step("b" + std::to_string(i), "next = 'last'\n");
  }
  return "name = 'fan-out'\n[limits]\nmax_concurrent = 64\n" + step("first", "next = [" + ids + "]\n") + text +
         step("last", "join = [" + ids + "]\n");
}

struct shape {
  const char* name;
  std::string toml;
  int steps;
  std::size_t rounds;
};

std::vector<shape> shapes() {
  return {{"chain of 3", chain(3), 3, 200},
          {"chain of 100", chain(100), 100, 20},
          {"1 -> 4 -> join", fan_out(4), 6, 200},
          {"1 -> 10 -> join", fan_out(10), 12, 100},
          {"1 -> 100 -> join", fan_out(100), 102, 20},
          {"1 -> 1,000 -> join", fan_out(1'000), 1'002, 5}};
}

workflow_ptr flow_of(const std::string& toml) {
  const auto loaded = parse_workflow(toml, "benchmark.toml", "");
  if (loaded.flow == nullptr) {
    throw std::runtime_error{"the workflow is refused"};
  }
  return loaded.flow;
}

result<function_reply> nothing(const function_request& /*request*/) {
  function_reply reply;
  reply.value = json_text{"1"};
  return reply;
}

// The plan alone

plan fresh_plan(const workflow_ptr& flow, const run_id& run, const std::shared_ptr<const executors>& with) {
  auto first = must(first_rows(*flow, json_text{"{}"}, "", run));
  recovery_view rows;
  rows.run.run = run;
  rows.run.inputs = first.inputs;
  rows.run.result = first.initial_state;
  rows.superstep = superstep_no{1};
  rows.standing = first.standing;
  for (const auto& task : first.front) {
    task_view row;
    row.task = task.id;
    row.run = run;
    row.superstep = task.superstep;
    row.step = task.step;
    row.agent = task.agent;
    row.order = task.order;
    rows.tasks.push_back(std::move(row));
  }
  return must(plan::restore(flow, rows, with));
}

// One superstep; false after the last.
bool advance(plan& progress) {
  task_outcome outcome;
  outcome.value = json_text{"1"};
  while (!progress.complete()) {
    for (const auto& order : progress.admit()) {
      progress.finished(order.task.id, outcome);
    }
  }
  const auto closed = progress.close();
  progress.committed(closed);
  return !closed.end;
}

void measure_plan(report& to) {
  auto with = std::make_shared<executors>();
  with->functions["nothing"] = nothing;
  to.section("the plan alone, microseconds a step");
  for (const auto& each : shapes()) {
    const auto flow = flow_of(each.toml);
    sample times;
    for (std::size_t i = 0; i < to.with().rounds(each.rounds * 5); ++i) {
      const auto began = steady_clock::now();
      auto progress = fresh_plan(flow, run_id{"r-1"}, with);
      while (advance(progress)) {
      }
      times.push_back(microseconds_since(began) / each.steps);
    }
    to.figure(each.name, "us", times);
  }
  const auto flow = flow_of(chain(3));
  sample times;
  for (std::size_t i = 0; i < to.with().rounds(20); ++i) {
    const auto began = steady_clock::now();
    std::deque<plan> all;
    for (int run = 0; run < 1'000; ++run) {
      all.push_back(fresh_plan(flow, run_id{"r-" + std::to_string(run)}, with));
    }
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (auto& one : all) {
        goes_on = advance(one) || goes_on;
      }
    }
    times.push_back(microseconds_since(began) / 3'000);
  }
  to.figure("1,000 runs of 3 in turns", "us", times);
}

// A whole node

class host {
 public:
  host(std::filesystem::path folder, std::string durability)
      : folder_(std::move(folder)), durability_(std::move(durability)) {
    start();
  }

  void start() {
    config_sources sources;
    sources.files.push_back({(folder_ / "troupe.toml").string(), "", true});
    sources.assignments = {"storage.path=" + path().string(),
                           "runtime.custodian=" TROUPE_CUSTODIAN_PATH,
                           "storage.durability=" + durability_};
    sources.working_directory = folder_;
    const auto loaded = load_config(sources);
    if (loaded.values == nullptr) {
      throw std::runtime_error{"the configuration is refused"};
    }
    function_table functions;
    functions["nothing"] = nothing;
    node_ = must(node::start({loaded.values, functions}));
  }

  void stop() { node_.reset(); }

  std::filesystem::path path() const { return folder_ / "troupe.db"; }

  std::string submit(const workflow_ptr& flow) {
    auto id = "r-" + std::to_string(++runs_);
    submission what;
    what.flow = flow;
    what.id = run_id{id};
    must(node_->submit(std::move(what)));
    return id;
  }

  run_recorder listen(const std::string& id) {
    run_recorder recorder;
    node_->subscribe(run_id{id}, event_seq{}, recorder.listener());
    return recorder;
  }

  /// Microseconds.
  double carry_out(const workflow_ptr& flow) {
    const auto began = steady_clock::now();
    wait_for(listen(submit(flow)));
    return microseconds_since(began);
  }

  static void wait_for(run_recorder recorder) {
    if (!recorder.wait_for_end(std::chrono::seconds{120})) {
      throw std::runtime_error{"a run does not end"};
    }
  }

  node& inner() { return *node_; }

 private:
  std::filesystem::path folder_;
  std::string durability_;
  std::unique_ptr<node> node_;
  int runs_ = 0;
};

// As many facts, with as many commits, by SQLite alone.
class bare {
 public:
  bare(const std::filesystem::path& folder, storage_options::durability synchronous)
      : loop_(bare_candidate(folder / "bare.db", {"", synchronous, ""})) {}

  /// Microseconds.
  double commit(int steps, std::int64_t commits) {
    const round_of_facts facts{++round_, {1, steps}};
    loop_->prepare(facts);
    return loop_->commit(facts, std::min(commits, static_cast<std::int64_t>(facts.facts()))).time *
           static_cast<double>(facts.facts());
  }

 private:
  std::unique_ptr<candidate> loop_;
  int round_ = 0;
};

void measure_node(report& to, const char* durability, storage_options::durability synchronous) {
  const temporary_folder folder;
  const std::string name = durability;
  host in{folder.path(), name};
  bare beside{folder.path(), synchronous};
  to.section("a node at " + name + ", microseconds a step");
  for (const auto& each : shapes()) {
    const auto flow = flow_of(each.toml);
    sample times;
    sample alone;
    sample commits;
    in.carry_out(flow);
    for (std::size_t i = 0; i < to.with().rounds(each.rounds); ++i) {
      const auto before = commits_so_far();
      times.push_back(in.carry_out(flow) / each.steps);
      const auto made = commits_so_far() - before;
      commits.push_back(static_cast<double>(made) / each.steps);
      alone.push_back(beside.commit(each.steps, made) / each.steps);
    }
    to.figure(each.name, "us", times);
    to.figure(std::string{each.name} + ": SQLite alone", "us", alone);
    to.figure(std::string{each.name} + ": commits a step", "", commits);
  }
  const auto flow = flow_of(chain(3));
  sample times;
  for (std::size_t i = 0; i < (to.with().quick ? 1U : 3U); ++i) {
    const auto began = steady_clock::now();
    std::vector<run_recorder> all;
    all.reserve(1'000);
    for (int run = 0; run < 1'000; ++run) {
      all.push_back(in.listen(in.submit(flow)));
    }
    for (const auto& each : all) {
      host::wait_for(each);
    }
    times.push_back(microseconds_since(began) / 3'000);
  }
  to.figure("1,000 runs of 3 at once", "us", times);
}

void measure_resume(report& to) {
  const temporary_folder folder;
  host in{folder.path(), "normal"};
  const auto flow = flow_of(
      "name = 'slow'\n[[step]]\nid = 'a'\nfunction = 'nothing'\nnext = 'b'\n"
      "[[step]]\nid = 'b'\nfunction = 'probe.sleep'\nargs = { ms = 60000 }\n");
  sample times;
  for (std::size_t i = 0; i < to.with().rounds(20); ++i) {
    const auto id = in.submit(flow);
    if (!in.listen(id).wait_for(event_kind::task_started, "b")) {
      throw std::runtime_error{"a run does not begin"};
    }
    in.stop();
    in.start();
    submission again;
    again.flow = flow;
    again.id = run_id{id};
    const auto began = steady_clock::now();
    must(in.inner().submit(std::move(again)));
    run_recorder recorder;
    in.inner().subscribe(run_id{id}, event_seq{}, recorder.listener());
    const auto begun_again = [&] {
      const auto kinds = recorder.kinds();
      const auto resumed = std::ranges::find(kinds, "run.resumed");
      return std::find(resumed, kinds.end(), "task.started") != kinds.end();
    };
    while (!begun_again()) {
      std::this_thread::sleep_for(std::chrono::microseconds{50});
    }
    times.push_back(microseconds_since(began) / 1'000);
    in.inner().cancel(run_id{id}, true);
    host::wait_for(in.listen(id));
  }
  to.section("a run goes on in a new process");
  to.figure("until its task has started again", "ms", times);
}

void measure_bytes(report& to) {
  to.section("bytes of database for a step");
  const auto bytes_of = [&](const std::string& toml, int steps) {
    const temporary_folder folder;
    host in{folder.path(), "normal"};
    in.stop();
    const auto before = std::filesystem::file_size(in.path());
    in.start();
    in.carry_out(flow_of(toml));
    in.stop();
    return sample{static_cast<double>(std::filesystem::file_size(in.path()) - before) / steps};
  };
  to.figure(
      "chain of 1,000, one field",
      "B",
      bytes_of("name = 'loop'\n[limits]\nmax_steps = 1001\n[state.n]\ninitial = 0\nreduce = 'sum'\n[[step]]\nid = 'a'\n"
               "function = 'nothing'\noutput = 'n'\nnext = [{ to = 'a', when = { path = '/n', lt = 1000 } },"
               " { to = 'z' }]\n" +
                   step("z", ""),
               1'001));
  to.figure("1 -> 1,000 -> join", "B", bytes_of(fan_out(1'000), 1'002));
  const auto large = std::string(std::size_t{1} << 20U, 'x');
  const auto bytes = bytes_of(
      "name = 'loop'\n[limits]\nmax_steps = 1001\n[state.n]\ninitial = 0\nreduce = 'sum'\n[state.large]\n"
      "initial = '" +
          large +
          "'\n[[step]]\nid = 'a'\nfunction = 'nothing'\noutput = 'n'\n"
          "next = [{ to = 'a', when = { path = '/n', lt = 1000 } }, { to = 'z' }]\n" +
          step("z", ""),
      1'001);
  to.figure("chain of 1,000 over a state of 1 MB", "B", bytes);
  to.at_most("EN-10", "chain of 1,000 over 1 MB, the database", bytes.front() * 1'001 / 1e6, 50, "MB");
}

void run(report& to) {
  commits_so_far();  // counts from now on
  measure_plan(to);
  measure_node(to, "normal", storage_options::durability::normal);
  measure_node(to, "full", storage_options::durability::full);
  measure_resume(to);
  measure_bytes(to);
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("engine_benchmark", count, arguments, troupe::perf::run);
}
