// A thousand children with captured output, 16 at once, by Troupe and by what people have without it; what agents cost in
// memory while they run and while they wait; and a message from one actor to another and back.
#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "perf/children.hpp"
#include "perf/report.hpp"
#include "runtime/node.hpp"
#include "runtime/os/process_reactor.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

constexpr std::size_t children = 1'000;
constexpr std::size_t at_once = 16;
constexpr std::size_t running_agents = 100;
constexpr std::size_t waiting_tasks = 10'000;
constexpr double mebibyte = 1024.0 * 1024.0;
const std::string program = "/bin/echo";

// ---------------------------------------------------------------------------------------------------------------------

/// What of the memory is this process's share (proc_pid_smaps(5)), in bytes; 0 where it has ended.
double share_of_memory(pid_t pid) {
  const auto text = file_text("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const auto at = text.find("\nPss:");
  return at == std::string::npos ? 0 : 1024.0 * std::stod(text.substr(at + 5));
}

/// This process, its custodian and the keepers: all but the agents themselves.
double our_memory() {
  double all = share_of_memory(::getpid());
  for (const pid_t custodian : children_of(::getpid())) {
    all += share_of_memory(custodian);
    for (const pid_t keeper : children_of(custodian)) {
      all += share_of_memory(keeper);
    }
  }
  return all;
}

/// A node with so many agents of one command.
class kept_agents {
 public:
  kept_agents(std::size_t agents, const std::string& command) {
    std::string config;
    for (std::size_t i = 0; i < agents; ++i) {
      config += "agents.a" + std::to_string(i) + " = { command = [" + command + "] }\n";
      names_ += (i == 0 ? "\"a" : ", \"a") + std::to_string(i) + '"';
    }
    config_sources sources;
    sources.files.push_back({(folder_ / "troupe.toml").string(), config, true});
    sources.assignments.push_back("storage.path=" + (folder_ / "troupe.db").string());
    sources.assignments.emplace_back("runtime.custodian=" TROUPE_CUSTODIAN_PATH);
    sources.working_directory = folder_.path();
    const auto loaded = load_config(sources);
    if (!loaded.values) {
      throw std::runtime_error{loaded.problems.empty() ? "no configuration" : loaded.problems.front().message};
    }
    auto started = node::start({loaded.values, {}});
    if (!started) {
      throw std::runtime_error{started.error().message};
    }
    node_ = *std::move(started);
  }

  /// One step of all of them; returns when `kind` has been told `count` times.
  void run_until(event_kind kind, std::size_t count, std::size_t max_concurrent) {
    const auto loaded = parse_workflow("name = \"all\"\n[limits]\nmax_concurrent = " + std::to_string(max_concurrent) +
                                           "\n[[step]]\nid = \"s\"\nagents = [" + names_ + "]\n",
                                       "perf.toml",
                                       "");
    if (!loaded.flow) {
      throw std::runtime_error{loaded.problems.empty() ? "no workflow" : loaded.problems.front().message};
    }
    submission what;
    what.flow = loaded.flow;
    const auto told = std::make_shared<counted>();
    run_listener listener;
    listener.events = [told, kind](const event_batch& events) { told->take(events, kind); };
    listener.stopped = [told](const error& why) { told->stop(why.message); };
    const auto taken = node_->submit(what);
    if (!taken) {
      throw std::runtime_error{taken.error().message};
    }
    node_->subscribe(taken->run, event_seq{0}, std::move(listener));
    told->wait_for(count);
  }

  starts_view starts() const { return node_->starts(); }

 private:
  struct counted {
    std::mutex guard;
    std::condition_variable changed;
    std::size_t count = 0;
    std::string trouble;

    void take(const event_batch& events, event_kind kind) {
      const std::scoped_lock lock{guard};
      for (const auto& fact : events) {
        count += fact.kind == kind ? 1 : 0;
      }
      changed.notify_all();
    }
    void stop(std::string why) {
      const std::scoped_lock lock{guard};
      trouble = std::move(why);
      changed.notify_all();
    }
    void wait_for(std::size_t wanted) {
      std::unique_lock lock{guard};
      const bool came =
          changed.wait_for(lock, std::chrono::minutes{3}, [&] { return count >= wanted || !trouble.empty(); });
      if (!came || !trouble.empty()) {
        throw std::runtime_error{trouble.empty() ? "a run takes too long" : trouble};
      }
    }
  };

  temporary_folder folder_;
  std::string names_;
  std::unique_ptr<node> node_;
};

// ---------------------------------------------------------------------------------------------------------------------

/// By `at_once` threads, each of which starts, reads and waits.
void by_spawn() {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < at_once; ++i) {
    threads.emplace_back([&next] {
      for (std::size_t number = next++; number < children; number = next++) {
        live_bare(bare_start::spawn, {program, std::to_string(number)});
      }
    });
  }
}

/// By the port alone: the next is asked for when one has ended.
void by_port(process_port& port) {
  std::mutex guard;
  std::condition_variable changed;
  std::size_t asked = 0;
  std::size_t ended = 0;
  const std::function<void()> ask = [&] {
    process_request what;
    what.argv = {program, std::to_string(asked++)};
    process_listener listener;
    listener.ended = [&](const process_end&) {
      const std::scoped_lock lock{guard};
      if (asked < children) {
        ask();
      }
      ++ended;
      changed.notify_all();
    };
    port.start(std::move(what), std::move(listener));
  };
  std::unique_lock lock{guard};
  for (std::size_t i = 0; i < at_once; ++i) {
    ask();
  }
  changed.wait(lock, [&] { return ended == children; });
}

// GNU parallel keeps what it has measured of the system in the home folder.
void by_shell(const std::filesystem::path& home, const std::string& rest) {
  const auto words = "export PATH=/usr/bin:/bin HOME=" + home.string() + "; seq 1000 | " + rest + " | wc -l";
  const auto life = live_bare(bare_start::spawn, {"/bin/sh", "-c", words});
  if (life.output.substr(0, life.output.find('\n')) != std::to_string(children)) {
    throw std::runtime_error{rest + " gave " + life.output};
  }
}

bool has_gnu_parallel() {
  const auto life = live_bare(
      bare_start::spawn,
      {"/bin/sh", "-c", "export PATH=/usr/bin:/bin HOME=/nonexistent; parallel --version 2>/dev/null | grep -c GNU"});
  return !life.output.empty() && life.output.front() != '0';
}

void thousand_children(report& to) {
  process_reactor port{{TROUPE_CUSTODIAN_PATH}};
  kept_agents node{children, '"' + program + "\", \"x\""};
  const temporary_folder home;
  const bool parallel = has_gnu_parallel();
  struct way {
    std::string name;
    std::function<void()> act;
    sample rates{};
  };
  std::vector<way> ways{
      {"bare posix_spawn, 16 threads", by_spawn},
      {"port: custodian and a keeper each", [&] { by_port(port); }},
      {"node: rows of each start and end committed", [&] { node.run_until(event_kind::run_completed, 1, at_once); }},
      {"xargs -P 16", [&] { by_shell(home.path(), "xargs -P 16 -n 1 /bin/echo"); }},
  };
  if (parallel) {
    ways.push_back({"GNU parallel -j 16", [&] { by_shell(home.path(), "parallel -j 16 /bin/echo"); }});
  }
  for (std::size_t round = 0; round < to.with().rounds(6); ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      auto& each = ways[(i + round) % ways.size()];
      const auto begun = clock::now();
      each.act();
      each.rates.push_back(static_cast<double>(children) * 1e6 / micros_between(begun, clock::now()));
    }
  }
  to.section("1,000 children with captured output, 16 at once");
  for (const auto& each : ways) {
    to.figure(each.name, "/s", each.rates);
  }
  if (!parallel) {
    to.remark("GNU parallel is not installed: not measured");
  }
  const auto starts = node.starts();
  double p95 = 0;
  for (const auto& each : starts.agents) {
    p95 = std::max(p95, static_cast<double>(each.p95.count()) / 1e3);
  }
  to.remark("node: the slowest agent's start, p95: " + std::to_string(p95) + " ms");
}

// Each case in a process of its own would be cleaner; here what came before is in the figure of before.
void memory_of_agents(report& to) {
  sample running;
  sample per_running;
  sample per_waiting;
  for (std::size_t i = 0; i < to.with().rounds(5); ++i) {
    const double before = our_memory();
    kept_agents node{running_agents, "\"" TROUPE_SCRIPTED_CHILD_PATH "\", \"hang\""};
    const double idle = our_memory();
    node.run_until(event_kind::task_started, running_agents, running_agents);
    const double with = our_memory();
    running.push_back((with - before) / mebibyte);
    per_running.push_back((with - idle) / 1024 / static_cast<double>(running_agents));
  }
  for (std::size_t i = 0; i < to.with().rounds(3); ++i) {
    kept_agents node{waiting_tasks, "\"" TROUPE_SCRIPTED_CHILD_PATH "\", \"hang\""};
    const double before = our_memory();
    node.run_until(event_kind::task_started, 1, 1);
    per_waiting.push_back((our_memory() - before) / 1024 / static_cast<double>(waiting_tasks));
  }
  to.section("memory: this process, custodian, keepers; not the agents");
  to.figure("a node with 100 running agents", "MiB", running);
  to.figure("a running agent", "KiB", per_running);
  to.figure("a waiting task, of 10,000", "KiB", per_waiting);
  to.at_most("issue", "a node with 100 running agents", quantile(running, 0.95), 50, "MiB");
}

// ---------------------------------------------------------------------------------------------------------------------

constexpr int turns = 10'000;

caf::behavior echo_actor(caf::event_based_actor*, int) {
  return {[](int turn) { return turn; }};
}

void round_trip(report& to) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", std::size_t{300});
  caf::actor_system system{config};
  sample lone;
  for (std::size_t i = 0; i < to.with().rounds(30); ++i) {
    const auto echo = system.spawn(echo_actor, 0);
    caf::scoped_actor self{system};
    const auto begun = clock::now();
    for (int turn = 0; turn < turns; ++turn) {
      self->request(echo, std::chrono::seconds{60}, turn).receive([](int) {}, [](const caf::error&) {});
    }
    lone.push_back(micros_between(begun, clock::now()) / turns);
  }
  const auto ping =
      [](caf::event_based_actor* self, const caf::actor& other, std::promise<void>* done) -> caf::behavior {
    self->send(other, turns);
    return {[=](int left) {
      if (left == 0) {
        done->set_value();
        self->quit();
      } else {
        self->send(other, left - 1);
      }
    }};
  };
  const auto pong = [](caf::event_based_actor* self, int) -> caf::behavior {
    return {[=](int left) { self->send(caf::actor_cast<caf::actor>(self->current_sender()), left); }};
  };
  sample pairs;
  for (std::size_t i = 0; i < to.with().rounds(30); ++i) {
    std::promise<void> done;
    const auto begun = clock::now();
    system.spawn(ping, system.spawn(pong, 0), &done);
    done.get_future().wait();
    pairs.push_back(micros_between(begun, clock::now()) / turns);
  }
  to.section("a message to another actor and back, means of 10,000");
  to.figure("between two actors", "us", pairs);
  to.figure("from a thread that waits", "us", lone);
}

void run(report& to) {
  memory_of_agents(to);
  thousand_children(to);
  round_trip(to);
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("agents_benchmark", count, arguments, troupe::perf::run);
}
