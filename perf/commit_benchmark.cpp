// Commits: the writer actor with 32 producers beside SQLite alone and beside a pool of connections (WR-8).
//
// Bare, session and writer write the same rows, which is looked at in the end.
#include "perf/candidates.hpp"
#include "perf/report.hpp"
#include "perf/slow_disk.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

constexpr load told{32, 10};
constexpr int pool_rounds_worth = 4;  // of facts, so that nobody in the pool runs out of them

struct column {
  sample time;
  sample processor;

  void add(const round_cost& each) {
    time.push_back(each.time);
    processor.push_back(each.processor);
  }
};

struct measured {
  column bare;
  column session;
  column writer;
  column pool;
  sample batch;
  sample writer_latency;
  sample pool_latency;
};

void append(sample& to, const sample& more) { to.insert(to.end(), more.begin(), more.end()); }

measured measure(const std::filesystem::path& folder, const place& where, std::size_t rounds) {
  const auto bare = bare_candidate(folder / "bare.db", where);
  const auto session = session_candidate(folder / "session.db", where);
  const auto writer = writer_candidate(folder / "writer.db", where);
  const auto pool = pool_candidate(folder / "pool.db", where, {});
  measured all;
  const std::vector<std::pair<candidate*, column*>> in_turn{
      {writer.get(), &all.writer}, {session.get(), &all.session}, {bare.get(), &all.bare}, {pool.get(), &all.pool}};
  std::int64_t commits = told.producers;
  constexpr int warm_up = 3;
  for (int round = -warm_up; round < static_cast<int>(rounds); ++round) {
    const round_of_facts facts{round, told};
    const round_of_facts for_pool{round, {told.producers * pool_rounds_worth, told.tasks_each}};
    for (std::size_t i = 0; i < in_turn.size(); ++i) {
      const auto& [which, into] = in_turn[round % 2 == 0 ? i : in_turn.size() - 1 - i];
      const auto& given = which == pool.get() ? for_pool : facts;
      which->prepare(given);
      const auto cost = which->commit(given, commits);
      if (which == writer.get()) {
        commits = cost.commits;
      }
      if (round < 0) {
        continue;
      }
      into->add(cost);
      if (which == writer.get()) {
        all.batch.push_back(static_cast<double>(facts.facts()) / static_cast<double>(commits));
        append(all.writer_latency, cost.latencies);
      } else if (which == pool.get()) {
        append(all.pool_latency, cost.latencies);
      }
    }
  }
  return all;
}

/// Otherwise nothing is compared.
void must_be_the_same_rows(const std::filesystem::path& folder) {
  const auto expected = sha256_hex(all_rows(folder / "writer.db"));
  for (const char* name : {"session.db", "bare.db"}) {
    if (sha256_hex(all_rows(folder / name)) != expected) {
      throw std::runtime_error{std::string{name} + " does not hold the rows that the writer wrote: perf/bare_rows.cpp"};
    }
  }
}

double per_second(const column& of) { return 1e6 / median(of.time); }

void tell_rates(report& to, const measured& all) {
  char line[200];
  std::snprintf(line,
                sizeof line,
                "facts per second: bare %.0f, session %.0f, writer %.0f, pool %.0f",
                per_second(all.bare),
                per_second(all.session),
                per_second(all.writer),
                per_second(all.pool));
  to.remark(line);
}

void commits_at(report& to, const place& where) {
  const temporary_folder folder;
  const auto all = measure(folder.path(), where, to.with().rounds(30));
  must_be_the_same_rows(folder.path());
  to.section("commits at " + where.name + ", 32 producers");
  to.figure("bare: SQLite alone, same rows, same batches", "us/fact", all.bare.time);
  to.figure("session: the writer's work without its actors", "us/fact", all.session.time);
  to.figure("writer", "us/fact", all.writer.time);
  to.figure("pool: a connection each, BEGIN IMMEDIATE per fact", "us/fact", all.pool.time);
  to.figure("processor time: bare", "us/fact", all.bare.processor);
  to.figure("processor time: session", "us/fact", all.session.processor);
  to.figure("processor time: writer and producers", "us/fact", all.writer.processor);
  to.figure("processor time: pool", "us/fact", all.pool.processor);
  to.figure("writer, from telling to receipt", "us", all.writer_latency);
  to.figure("pool, from BEGIN to COMMIT", "us", all.pool_latency);
  to.figure("facts in a batch of the writer", "", all.batch);
  tell_rates(to, all);
  to.at_least("WR-8", where.name + ": writer over bare", all.bare.time, all.writer.time, 0.8);
  if (where.synchronous == storage_options::durability::full) {
    to.at_least("WR-8", where.name + ": writer over pool", all.pool.time, all.writer.time, 5);
  } else {
    to.compare(where.name + ": writer over pool", all.pool.time, all.writer.time);
  }
  to.compare(where.name + ": session over bare", all.bare.time, all.session.time);
  to.compare(where.name + ": writer over session", all.session.time, all.writer.time);
}

void disk(report& to) {
  const temporary_folder place;
  const int file = ::open((place / "sync").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  sample took;
  for (std::size_t i = 0; i < to.with().rounds(200); ++i) {
    if (::pwrite(file, page.data(), page.size(), 0) != static_cast<ssize_t>(page.size())) {
      throw std::runtime_error{"cannot write into the temporary folder"};
    }
    const auto begun = std::chrono::steady_clock::now();
    ::fdatasync(file);
    took.push_back(micros_since(begun));
  }
  ::close(file);
  to.section("the disk below");
  to.figure("fdatasync after 4 KiB in the place of others", "us", took);
}

void run(report& to) {
  static_cast<void>(commits_so_far());  // counts the connections that are opened from now on
  disk(to);
  using durability = storage_options::durability;
  commits_at(to, {"FULL", durability::full, ""});
  commits_at(to, {"NORMAL", durability::normal, ""});
  commits_at(to, {"FULL, sync + 1 ms", durability::full, slow_disk(std::chrono::milliseconds{1})});
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("commit_benchmark", count, arguments, troupe::perf::run);
}
