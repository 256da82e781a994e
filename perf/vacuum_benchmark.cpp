// Vacuum of a file of 153 MB in which three rows live, beside commits of agents and without them (MA-1).
//
//   idle   nobody commits
//   paced  8 producers, a fact every 10 ms each, as agents tell them
//   flood  32 producers, each tells its next fact when the last is committed: the writer is never idle
//
// What the commits take is measured with vacuum and, for as long, without: in alternating rounds, each on a copy of the
// same file, with the actors of a node.
#include "actors/database_reader/database_reader_actor.hpp"
#include "actors/event_hub/event_hub_actor.hpp"
#include "actors/vacuum/vacuum_actor.hpp"
#include "actors/writer_client.hpp"
#include "perf/bare_rows.hpp"
#include "perf/report.hpp"
#include "perf/writing_actors.hpp"
#include "runtime/os/system_clock.hpp"
#include "runtime/writer_assembly.hpp"
#include "storage/read_pool.hpp"
#include "storage/read_session.hpp"
#include "storage/write_session.hpp"
#include "tests/support/bloated_database.hpp"
#include "tests/support/temporary_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::perf {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::int64_t bloated_bytes = 153'000'000;
constexpr std::int64_t small_bytes = 5'000'000;
constexpr milliseconds give_up_after{60'000};

double millis(clock::duration length) { return std::chrono::duration<double, std::milli>(length).count(); }

/// How commits come.
struct load {
  std::string name;
  int producers = 0;
  milliseconds pause{0};  ///< Between a receipt and the next fact.

  bool is_flood() const { return producers > 0 && pause.count() == 0; }
};

struct measured {
  std::mutex guard;
  sample commits;  ///< Milliseconds from telling to receipt.
  sample slices;
  std::atomic<bool> over{false};
  std::atomic<int> running{0};
  std::atomic<int> number{0};  ///< Of the next run.
};

// ---------------------------------------------------------------------------------------------------------------------

using teller = caf::typed_actor<caf::reacts_to<later>>;

struct teller_state {
  static inline const char* name = "producer";
  std::vector<fact_ptr> facts;
  std::size_t told = 0;
  sample commits;
};

using teller_pointer = teller::stateful_pointer<teller_state>;

void next_facts(teller_state& state, measured& of) {
  auto made = producers_of_round(of.number++, 1, 10, 500).front();
  state.facts = std::move(made.facts);
  state.facts.insert(state.facts.begin(), std::make_shared<const write_command>(made.created));
  state.told = 0;
}

void tell_next(teller_pointer self, const writer_access& writer, milliseconds pause, measured& of) {
  auto& state = self->state;
  if (of.over) {
    {
      const std::scoped_lock lock{of.guard};
      of.commits.insert(of.commits.end(), state.commits.begin(), state.commits.end());
    }
    --of.running;
    self->quit();
    return;
  }
  if (state.told == state.facts.size()) {
    next_facts(state, of);
  }
  const auto begun = clock::now();
  tell(self, writer, state.facts[state.told++], [=, &of](const write_reply& reply) {
    if (!reply) {
      throw std::runtime_error{reply.error().message};
    }
    self->state.commits.push_back(millis(clock::now() - begun));
    if (pause.count() == 0) {
      tell_next(self, writer, pause, of);
    } else {
      self->delayed_send(self, pause, later{[=, &of] { tell_next(self, writer, pause, of); }});
    }
  });
}

teller::behavior_type tell_all(teller_pointer self, const writer_access& writer, milliseconds pause, measured* of) {
  tell_next(self, writer, pause, *of);
  return {[](const later& due) { due.act(); }};
}

/// Stands between vacuum and the writer, and keeps how long slices took.
database_writer::behavior_type measure_slices(database_writer::pointer self,
                                              const database_writer& writer,
                                              measured* of) {
  return {
      [=](write_request& request) { return self->delegate(writer, std::move(request)); },
      [=](const vacuum_slice& slice) {
        auto answer = self->make_response_promise<vacuum_answer>();
        self->request(writer, caf::infinite, slice).then([=](vacuum_answer& told) mutable {
          if (told && std::holds_alternative<vacuum_progress>(*told)) {
            const std::scoped_lock lock{of->guard};
            of->slices.push_back(static_cast<double>(std::get<vacuum_progress>(*told).took.count()) / 1e3);
          }
          answer.deliver(std::move(told));
        });
        return answer;
      },
      [=](const shrink_file& shrink) { return self->delegate(writer, shrink); },
      [=](const record_vacuum& told) { return self->delegate(writer, told); },
      [](flush_writes) {},
  };
}

// ---------------------------------------------------------------------------------------------------------------------

struct round_result {
  double until_small_ms = 0;    ///< Until the file has less than 5 MB.
  double until_nothing_ms = 0;  ///< Until no more is free than may be.
  std::int64_t file_bytes = 0;  ///< In the end.
};

/// Else the first commits would wait for the copy to reach the disk.
void wait_for_disk(const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(opened);
  ::close(opened);
}

/// The actors of a node that commits and vacuum go through, on a copy of the file.
class trial {
 public:
  trial(const std::filesystem::path& bloated, const std::filesystem::path& copy, measured& of)
      : of_(of), system_(configured(config_)) {
    for (const auto* left : {"-wal", "-shm"}) {  // of the round before, whose actors do not end in a node's order
      std::filesystem::remove(copy.string() + left);
    }
    std::filesystem::copy_file(bloated, copy, std::filesystem::copy_options::overwrite_existing);
    wait_for_disk(copy);
    options_.path = copy;
    hub_.set(spawn_event_hub(system_, {reader_}));
    const auto sessions = pool_of_readers(options_, readers_max);
    checkpointer_.set(spawn_log_checkpointer(system_, checkpointer_deps(options_, sessions), placement::own_thread));
    auto deps = writer_deps(options_, lease_epoch{1}, hub_, checkpointer_);
    writer_.actor.set(spawn_database_writer(system_, std::move(deps), placement::own_thread));
    reader_.set(spawn_database_reader(system_, {sessions, milliseconds{10'000}}, placement::own_thread));
    proxy_.set(system_.spawn(measure_slices, writer_.actor.get(), &of_));
  }
  trial(const trial&) = delete;
  trial& operator=(const trial&) = delete;

  ~trial() {
    for (const auto& each : {caf::actor_cast<caf::actor>(vacuum_),
                             caf::actor_cast<caf::actor>(proxy_.get()),
                             caf::actor_cast<caf::actor>(hub_.get()),
                             caf::actor_cast<caf::actor>(reader_.get()),
                             caf::actor_cast<caf::actor>(checkpointer_.get()),
                             caf::actor_cast<caf::actor>(writer_.actor.get())}) {
      if (each) {
        caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
      }
    }
    vacuum_ = vacuum_actor{};
    proxy_.set(database_writer{});
    hub_.set(event_hub{});
    reader_.set(database_reader{});
    checkpointer_.set(log_checkpointer{});
    writer_.actor.set(database_writer{});
    system_.await_all_actors_done();
  }

  /// Producers tell until the pass has ended.
  round_result vacuum_beside(const load& with) {
    start_producers(with);
    const auto begun = clock::now();
    vacuum_rules rules;
    rules.check_every = milliseconds{1};  // the first look now, not in a second
    vacuum_ = spawn_vacuum(system_, {proxy_, reader_, std::make_shared<system_clock>(), rules});
    auto looking = read_session::open(options_);
    round_result told;
    for (bool over = false; !over;) {
      std::this_thread::sleep_for(milliseconds{2});
      const auto now = millis(clock::now() - begun);
      told.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(options_.path));
      if (told.until_small_ms == 0 && told.file_bytes < small_bytes) {
        told.until_small_ms = now;
      }
      const auto found = *(*looking)->find_maintenance();
      const auto& size = found.size;
      if (told.until_nothing_ms == 0 && size.free_bytes() <= std::max(size.bytes() / 20, std::int64_t{1} << 20U)) {
        told.until_nothing_ms = now;
      }
      // In a flood commits take the free pages, and the file grows as fast as it is cut.
      over = with.is_flood() ? told.until_nothing_ms > 0 : found.vacuum.last.has_value();
      if (now > static_cast<double>(give_up_after.count())) {
        throw std::runtime_error{"the file did not come down within a minute"};
      }
    }
    stop_producers();
    return told;
  }

  void commit_for(const load& with, milliseconds length) {
    start_producers(with);
    std::this_thread::sleep_for(length);
    stop_producers();
  }

 private:
  static caf::actor_system_config& configured(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-throughput", std::size_t{300});
    return config;
  }

  void start_producers(const load& with) {
    of_.over = false;
    of_.running = with.producers;
    for (int i = 0; i < with.producers; ++i) {
      system_.spawn(tell_all, writer_, with.pause, &of_);
    }
  }

  void stop_producers() {
    of_.over = true;
    while (of_.running > 0) {
      std::this_thread::sleep_for(milliseconds{1});
    }
  }

  measured& of_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  storage_options options_;
  service<event_hub> hub_;
  writer_access writer_{{}, write_credit{}, lease_epoch{1}};
  service<log_checkpointer> checkpointer_;
  service<database_reader> reader_;
  service<database_writer> proxy_;
  vacuum_actor vacuum_;
};

void run(report& to) {
  spdlog::set_level(spdlog::level::warn);
  const temporary_folder place;
  storage_options options;
  options.path = place / "bloated.db";
  make_bloated_database(options, bloated_bytes);
  double last_size = 0;
  for (const auto& with : {load{"idle", 0, milliseconds{0}},
                           load{"paced: 8 producers, a fact every 10 ms each", 8, milliseconds{10}},
                           load{"flood: 32 producers", 32, milliseconds{0}}}) {
    measured beside;
    measured alone;
    sample until_small;
    sample until_nothing;
    sample sizes;
    const auto rounds = with.is_flood() ? std::size_t{2} : to.with().rounds(10);  // a flood lasts
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto told = trial{options.path, place / "copy.db", beside}.vacuum_beside(with);
      until_small.push_back(told.until_small_ms);
      until_nothing.push_back(told.until_nothing_ms);
      sizes.push_back(static_cast<double>(told.file_bytes) / 1e3);
      if (with.producers > 0) {
        const milliseconds as_long{static_cast<std::int64_t>(told.until_nothing_ms)};
        trial{options.path, place / "copy.db", alone}.commit_for(with, as_long);
      }
    }
    to.section(with.name);
    to.figure("until no more is free than may be", "ms", until_nothing);
    to.figure("slice, with its commit", "ms", beside.slices);
    to.at_most("MA-1", with.name + ": slice, p99", quantile(beside.slices, 0.99), 10, "ms");
    if (!with.is_flood()) {
      to.figure("until the file has less than 5 MB", "ms", until_small);
      to.at_most("MA-1", with.name + ": until less than 5 MB, slowest", quantile(until_small, 1), 60'000, "ms");
    }
    if (with.producers > 0) {
      to.figure("commit, while vacuum works", "ms", beside.commits);
      to.figure("commit, without vacuum", "ms", alone.commits);
      to.at_most("MA-1", with.name + ": commit beside vacuum, p99", quantile(beside.commits, 0.99), 50, "ms");
    } else {
      last_size = median(sizes);
      to.figure("file in the end", "KB", sizes);
    }
  }
  to.at_most("MA-1", "idle: file in the end", last_size, 200, "KB");
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("vacuum_benchmark", count, arguments, troupe::perf::run);
}
