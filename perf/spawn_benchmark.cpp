// Agents: how long they take to start, to start together, and to be known as ended (PR-10, PR-4).
//
//   bare  posix_spawn or fork by this process: pipes, reading to the end, waitpid
//   port  process reactor, custodian and keeper: whatever the agent leaves behind is gone too when it ends
//   node  runs of a whole node: actors, and every row committed at FULL before the next thing happens
#include "config/load.hpp"
#include "config/workflow_file.hpp"
#include "perf/children.hpp"
#include "perf/report.hpp"
#include "runtime/node.hpp"
#include "runtime/os/process_reactor.hpp"
#include "tests/support/temporary_folder.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

using argument_list = std::vector<std::string>;

const argument_list nothing{"/bin/true"};
const argument_list takes_20_ms{TROUPE_SCRIPTED_CHILD_PATH, "work", "20", "print", "yes"};
const argument_list tells_its_end{TROUPE_SCRIPTED_CHILD_PATH, "clock"};

template <class Act>
void alternate(std::size_t round, Act first, Act second) {
  if (round % 2 == 0) {
    first();
    second();
  } else {
    second();
    first();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/// When things of one run were told to a subscriber, which is after their commit.
struct told_times {
  std::mutex guard;
  std::condition_variable changed;
  clock::time_point queued;  ///< The newest front.
  std::vector<clock::time_point> started;
  clock::time_point ended;
  bool over = false;
  std::string trouble;

  void take(const event_batch& events) {
    const auto now = clock::now();
    const std::scoped_lock lock{guard};
    for (const auto& fact : events) {
      if (fact.kind == event_kind::task_queued) {
        queued = now;
      } else if (fact.kind == event_kind::task_started) {
        started.push_back(now);
      } else if (ends_run(fact.kind)) {
        end(now, fact.kind == event_kind::run_completed ? "" : "a run did not complete: " + fact.data.str());
      }
    }
  }

  void stop(const error& why) {
    const std::scoped_lock lock{guard};
    end(clock::now(), why.message);
  }

  void wait() {
    std::unique_lock lock{guard};
    if (!changed.wait_for(lock, std::chrono::seconds{30}, [&] { return over; })) {
      throw std::runtime_error{"a run did not end"};
    }
    if (!trouble.empty()) {
      throw std::runtime_error{trouble};
    }
  }

 private:
  void end(clock::time_point now, std::string why) {
    ended = now;
    over = true;
    trouble = std::move(why);
    changed.notify_all();
  }
};

/// Of one run, in milliseconds.
struct run_times {
  double all_started = 0;  ///< From submission to the last start that was told.
  double of_front = 0;     ///< The same from when the last front was told.
  double ended = 0;        ///< From submission.
};

class measured_node {
 public:
  /// So many agents that are quick, and as many that take 20 ms.
  explicit measured_node(std::size_t agents) {
    config_sources sources;
    sources.files.push_back({(folder_ / "troupe.toml").string(), config_of(agents), true});
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
    for (int i = 0; i < 5; ++i) {
      run(side_by_side("slow", agents), agents);
    }
  }

  run_times run(const workflow_ptr& flow, std::size_t starts) {
    submission what;
    what.flow = flow;
    const auto told = std::make_shared<told_times>();
    run_listener listener;
    listener.events = [told](const event_batch& events) { told->take(events); };
    listener.progress = [](const task_progress&) {};
    listener.stopped = [told](const error& why) { told->stop(why); };
    std::this_thread::sleep_for(std::chrono::milliseconds{3});  // what the run before left behind has gone
    const auto asked = clock::now();
    const auto taken = node_->submit(what);
    if (!taken) {
      throw std::runtime_error{taken.error().message};
    }
    node_->subscribe(taken->run, event_seq{0}, std::move(listener));
    told->wait();
    const std::scoped_lock lock{told->guard};
    if (told->started.size() != starts) {
      throw std::runtime_error{"not every agent was started"};
    }
    return {micros_between(asked, told->started.back()) / 1e3,
            micros_between(told->queued, told->started.back()) / 1e3,
            micros_between(asked, told->ended) / 1e3};
  }

  /// One step of so many agents; after a step of one slow agent, during which the subscriber comes, or at once.
  static workflow_ptr side_by_side(const std::string& agent, std::size_t count, bool after_another = false) {
    std::string names;
    for (std::size_t i = 0; i < count; ++i) {
      names += (i == 0 ? "\"" : ", \"") + agent + std::to_string(i) + '"';
    }
    const std::string first = after_another ? "[[step]]\nid = \"first\"\nagent = \"slow0\"\nnext = \"all\"\n" : "";
    return parsed("name = \"parallel\"\n[limits]\nmax_concurrent = 100\n" + first +
                  "[[step]]\nid = \"all\"\nagents = [" + names + "]\n");
  }

  /// So many steps of one agent each.
  static workflow_ptr in_a_row(const std::string& agent, std::size_t count) {
    std::string text = "name = \"chain\"\n";
    for (std::size_t i = 0; i < count; ++i) {
      const auto number = std::to_string(i);
      text += "[[step]]\nid = \"s" + number + "\"\nagent = \"";
      text += agent;
      text += number + "\"\n";
      text += i + 1 < count ? "next = \"s" + std::to_string(i + 1) + "\"\n" : "";
    }
    return parsed(text);
  }

 private:
  static workflow_ptr parsed(const std::string& text) {
    const auto loaded = parse_workflow(text, "perf.toml", "");
    if (!loaded.flow) {
      throw std::runtime_error{loaded.problems.empty() ? "no workflow" : loaded.problems.front().message};
    }
    return loaded.flow;
  }

  static std::string config_of(std::size_t agents) {
    std::string text;
    for (std::size_t i = 0; i < agents; ++i) {
      const auto number = std::to_string(i);
      text += "agents.quick" + number + " = { command = [\"/bin/echo\", \"yes\"] }\n";
      text += "agents.slow" + number + " = { command = [\"" TROUPE_SCRIPTED_CHILD_PATH "\"";
      for (std::size_t word = 1; word < takes_20_ms.size(); ++word) {
        text += ", \"" + takes_20_ms[word] + '"';
      }
      text += "] }\n";
    }
    return text;
  }

  temporary_folder folder_;
  std::unique_ptr<node> node_;
};

// ---------------------------------------------------------------------------------------------------------------------

double last_start(const std::vector<child_life>& lives) {
  return std::ranges::max_element(lives, {}, &child_life::start_micros)->start_micros() / 1e3;
}

double last_end(const std::vector<child_life>& lives) {
  return std::ranges::max_element(lives, {}, &child_life::life_micros)->life_micros() / 1e3;
}

void one_child(report& to, process_port& port) {
  sample bare_start_at;
  sample bare_life;
  sample port_start;
  sample port_life;
  const auto bare = [&] {
    const auto life = live_bare(bare_start::spawn, nothing);
    bare_start_at.push_back(life.start_micros() / 1e3);
    bare_life.push_back(life.life_micros() / 1e3);
  };
  const auto kept = [&] {
    const auto life = live_kept(port, nothing).front();
    port_start.push_back(life.start_micros() / 1e3);
    port_life.push_back(life.life_micros() / 1e3);
  };
  for (std::size_t i = 0; i < to.with().rounds(300); ++i) {
    alternate<std::function<void()>>(i, bare, kept);
  }
  to.section("one child that does nothing");
  to.figure("bare: asked to running", "ms", bare_start_at);
  to.figure("port: asked to running", "ms", port_start);
  to.figure("bare: asked to ended", "ms", bare_life);
  to.figure("port: asked to ended, its tree gone", "ms", port_life);
  to.compare("port over bare, asked to running", port_start, bare_start_at);
  to.compare("port over bare, asked to ended", port_life, bare_life);
}

void at_once(report& to, process_port& port, std::size_t count, std::size_t rounds, double goal) {
  measured_node node{count};
  const auto at_once = measured_node::side_by_side("quick", count);
  const auto in_the_middle = measured_node::side_by_side("quick", count, true);
  sample port_start;
  sample front_start;
  sample node_start;
  sample node_life;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto run = node.run(at_once, count);
    node_start.push_back(run.all_started);
    node_life.push_back(run.ended);
    front_start.push_back(node.run(in_the_middle, count + 1).of_front);
    port_start.push_back(last_start(live_kept(port, nothing, count)));
  }
  const auto agents = std::to_string(count) + " agents";
  to.section(agents + " at once");
  to.figure("port: asked to the last running", "ms", port_start);
  to.figure("node: front told to the last start committed and told", "ms", front_start);
  to.figure("node: submitted to the last start committed and told", "ms", node_start);
  to.figure("node: submitted to the end committed and told", "ms", node_life);
  to.at_most("PR-10", agents + ": front to last start committed, p95", quantile(front_start, 0.95), goal, "ms");
  to.at_most("PR-10", agents + ": submitted to last start committed, p95", quantile(node_start, 0.95), goal, "ms");
}

void one_after_the_other(report& to, process_port& port, std::size_t count, std::size_t rounds) {
  measured_node node{count};
  const auto chain = measured_node::in_a_row("slow", count);
  const auto parallel = measured_node::side_by_side("slow", count);
  sample port_row;
  sample port_once;
  sample node_row;
  sample node_once;
  const auto in_a_row = [&] {
    node_row.push_back(node.run(chain, count).ended);
    const auto begun = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      live_kept(port, takes_20_ms);
    }
    port_row.push_back(micros_between(begun, clock::now()) / 1e3);
  };
  const auto together = [&] {
    node_once.push_back(node.run(parallel, count).ended);
    port_once.push_back(last_end(live_kept(port, takes_20_ms, count)));
  };
  for (std::size_t i = 0; i < rounds; ++i) {
    alternate<std::function<void()>>(i, in_a_row, together);
  }
  const auto agents = std::to_string(count) + " agents";
  to.section(agents + " that take 20 ms to start");
  to.figure("port: one after the other", "ms", port_row);
  to.figure("port: at once", "ms", port_once);
  to.figure("node: a step each, one after the other", "ms", node_row);
  to.figure("node: one step of all", "ms", node_once);
  to.at_least("PR-10", agents + " of 20 ms: one after the other over at once, port", port_row, port_once, 3);
  to.at_least("PR-10", agents + " of 20 ms: one after the other over at once, node", node_row, node_once, 3);
}

double after_its_last_word(const child_life& life, clock::time_point known) {
  const clock::time_point last_word{std::chrono::nanoseconds{std::stoll(life.output)}};
  return micros_between(last_word, known) / 1e3;
}

void detection(report& to, process_port& port) {
  sample bare_ended;
  sample port_exited;
  sample port_ended;
  const auto bare = [&] {
    const auto life = live_bare(bare_start::spawn, tells_its_end);
    bare_ended.push_back(after_its_last_word(life, life.ended));
  };
  const auto kept = [&] {
    const auto life = live_kept(port, tells_its_end).front();
    port_exited.push_back(after_its_last_word(life, life.exited));
    port_ended.push_back(after_its_last_word(life, life.ended));
  };
  for (std::size_t i = 0; i < to.with().rounds(300); ++i) {
    alternate<std::function<void()>>(i, bare, kept);
  }
  to.section("from the last word of a child");
  to.figure("bare: to waitpid and both ends of file", "ms", bare_ended);
  to.figure("port: to `exited`", "ms", port_exited);
  to.figure("port: to `ended`, its tree gone", "ms", port_ended);
  to.at_most("PR-4", "exit known: p95", quantile(port_exited, 0.95), 1, "ms");
  to.at_most("PR-4", "exit known, both pipes at their end, tree gone: p95", quantile(port_ended, 0.95), 1, "ms");
}

/// A gibibyte in pages of 4 KiB, all of them touched: what a host with a large heap maps.
class ballast {
 public:
  ballast() : at_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (at_ == MAP_FAILED) {
      throw std::runtime_error{"no room for a gibibyte"};
    }
    ::madvise(at_, bytes, MADV_NOHUGEPAGE);
    for (std::size_t i = 0; i < bytes; i += 4096) {
      static_cast<volatile char*>(at_)[i] = 1;
    }
  }
  ballast(const ballast&) = delete;
  ballast& operator=(const ballast&) = delete;
  ~ballast() { ::munmap(at_, bytes); }

 private:
  static constexpr std::size_t bytes = std::size_t{1} << 30U;
  void* at_;
};

struct starts {
  sample fork;
  sample spawn;
  sample port;

  void measure(process_port& port_of, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      spawn.push_back(live_bare(bare_start::spawn, nothing).start_micros() / 1e3);
      port.push_back(live_kept(port_of, nothing).front().start_micros() / 1e3);
    }
    for (std::size_t i = 0; i < count; ++i) {  // apart: copying the page tables leaves cold caches behind
      fork.push_back(live_bare(bare_start::fork, nothing).start_micros() / 1e3);
    }
  }
};

void size_of_the_host(report& to, process_port& port) {
  starts small;
  starts large;
  const auto each = to.with().rounds(20);
  for (int i = 0; i < 6; ++i) {
    small.measure(port, each);
    const ballast heap;
    large.measure(port, each);
  }
  to.section("asked to running, by the size of the host");
  to.figure("fork, small", "ms", small.fork);
  to.figure("fork, 1 GiB more", "ms", large.fork);
  to.figure("posix_spawn, small", "ms", small.spawn);
  to.figure("posix_spawn, 1 GiB more", "ms", large.spawn);
  to.figure("port, small", "ms", small.port);
  to.figure("port, 1 GiB more", "ms", large.port);
  to.compare("fork: 1 GiB more over small", large.fork, small.fork);
  to.compare("posix_spawn: 1 GiB more over small", large.spawn, small.spawn);
  to.compare("port: 1 GiB more over small", large.port, small.port);
}

void measure(report& to) {
  process_reactor port{{TROUPE_CUSTODIAN_PATH}};
  for (int i = 0; i < 20; ++i) {
    live_kept(port, tells_its_end);
    live_bare(bare_start::spawn, tells_its_end);
  }
  one_child(to, port);
  detection(to, port);
  size_of_the_host(to, port);
  at_once(to, port, 3, to.with().rounds(100), 5);
  at_once(to, port, 24, to.with().rounds(60), 50);
  one_after_the_other(to, port, 3, to.with().rounds(40));
  one_after_the_other(to, port, 8, to.with().rounds(30));
}

void run(report& to) { measure(to); }

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("spawn_benchmark", count, arguments, troupe::perf::run);
}
