// The writer with 1 to 1,000 producers, beside SQLite alone and beside a pool of connections: how much, and how long each
// producer waits (WR-8 is commit_benchmark.cpp's).
#include "perf/candidates.hpp"
#include "perf/plot.hpp"
#include "perf/report.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace troupe::perf {
namespace {

constexpr std::array<load, 5> loads{{{1, 20}, {8, 10}, {32, 10}, {64, 5}, {1'000, 1}}};
constexpr int many = 1'000;
constexpr std::size_t connections_max = 64;          // 1,000 threads would measure the kernel's
constexpr std::size_t pool_facts_a_second = 25'000;  // more than any disk allows, so that nobody runs out of facts

struct measured {
  sample time;  ///< Microseconds for each fact.
  sample latencies;

  void add(round_cost&& cost) {
    time.push_back(cost.time);
    latencies.insert(latencies.end(), cost.latencies.begin(), cost.latencies.end());
  }
};

/// What the three curves of a plot are made of.
struct curves {
  curve writer{"writer", {}};
  curve bare{"bare", {}};
  curve pool{"pool", {}};
};

std::vector<curve> listed(const curves& all) { return {all.writer, all.bare, all.pool}; }

void measure_one_loop(const report& to, const place& where, const load& each, measured& writer, measured& bare) {
  const temporary_folder folder;
  const auto by_writer = writer_candidate(folder / "writer.db", where);
  const auto by_loop = bare_candidate(folder / "bare.db", where);
  std::int64_t commits = each.producers;
  constexpr int warm_up = 2;
  const int rounds = static_cast<int>(to.with().rounds(each.producers == many ? 10 : 30));
  for (int round = -warm_up; round < rounds; ++round) {
    const round_of_facts facts{round, each};
    by_writer->prepare(facts);
    auto cost = by_writer->commit(facts, 0);
    commits = cost.commits;
    by_loop->prepare(facts);
    auto beside = by_loop->commit(facts, commits);
    if (round >= 0) {
      writer.add(std::move(cost));
      bare.add(std::move(beside));
    }
  }
}

measured measure_pool(const report& to, const place& where, const load& each) {
  const temporary_folder folder;
  pool_terms terms;
  terms.producers = static_cast<std::size_t>(each.producers);
  terms.connections = std::min(terms.producers, connections_max);
  terms.window = std::chrono::milliseconds{each.producers == many ? 1'000 : 400};
  const auto by_pool = pool_candidate(folder / "pool.db", where, terms);
  const auto facts = pool_facts_a_second * static_cast<std::size_t>(terms.window.count()) / 1'000;
  load enough = each;
  enough.producers = std::max(each.producers, static_cast<int>(facts) / (each.tasks_each * 3));
  measured pool;
  constexpr int warm_up = 1;
  const int rounds = to.with().quick ? 1 : each.producers == many ? 3 : 4;
  for (int round = -warm_up; round < rounds; ++round) {
    const round_of_facts given{round, enough};
    by_pool->prepare(given);
    auto cost = by_pool->commit(given, 0);
    if (round >= 0) {
      pool.add(std::move(cost));
    }
  }
  return pool;
}

void tell(report& to, const std::string& name, double producers, const measured& all, curve& rates, curve& waits) {
  to.figure(name, "us/fact", all.time);
  to.figure(name + ": waiting", "us", all.latencies);
  const double rate = 1e6 / median(all.time);
  char line[120];
  std::snprintf(line, sizeof line, "%s: %.0f facts per second", name.c_str(), rate);
  to.remark(line);
  rates.points.push_back({producers, rate});
  waits.points.push_back({producers, quantile(all.latencies, 0.99) / 1e3});
}

void producers_at(report& to, const place& where, const std::string& file_name) {
  curves rates;
  curves waits;
  for (const auto& each : loads) {
    measured writer;
    measured bare;
    measure_one_loop(to, where, each, writer, bare);
    const auto pool = measure_pool(to, where, each);
    to.section(where.name + ", " + std::to_string(each.producers) + (each.producers == 1 ? " producer" : " producers"));
    tell(to, "writer", each.producers, writer, rates.writer, waits.writer);
    tell(to, "bare, same batches", each.producers, bare, rates.bare, waits.bare);
    tell(to, "pool", each.producers, pool, rates.pool, waits.pool);
  }
  if (!to.with().svg.empty()) {
    const std::filesystem::path folder{to.with().svg};
    write_svg(folder / ("throughput-" + file_name + ".svg"),
              {"Facts committed per second at " + where.name, "producers", "facts per second", listed(rates)});
    write_svg(folder / ("waiting-" + file_name + ".svg"),
              {"p99 of waiting for a commit at " + where.name, "producers", "milliseconds", listed(waits)});
  }
}

void run(report& to) {
  static_cast<void>(commits_so_far());  // counts the connections that are opened from now on
  using durability = storage_options::durability;
  producers_at(to, {"FULL", durability::full, ""}, "full");
  producers_at(to, {"NORMAL", durability::normal, ""}, "normal");
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("writer_benchmark", count, arguments, troupe::perf::run);
}
