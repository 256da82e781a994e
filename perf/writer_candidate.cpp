#include "perf/candidates.hpp"
#include "perf/writing_actors.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <latch>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace troupe::perf {
namespace {

using teller = caf::typed_actor<caf::reacts_to<later>>;

struct teller_state {
  static inline const char* name = "producer";
  std::size_t told = 0;
  sample latencies;
};

using teller_pointer = teller::stateful_pointer<teller_state>;

/// What the producers of a round have in common. Outlives them.
struct telling {
  explicit telling(std::size_t producers) : all_done(static_cast<std::ptrdiff_t>(producers)) {}

  writer_access writer;
  std::latch all_done;
  std::mutex guard;
  sample latencies;  ///< Microseconds from telling a fact to its receipt.
  std::string trouble;
};

void tell_next(teller_pointer self, const std::vector<fact_ptr>& facts, telling& of) {
  auto& state = self->state;
  if (state.told == facts.size()) {
    {
      const std::scoped_lock lock{of.guard};
      of.latencies.insert(of.latencies.end(), state.latencies.begin(), state.latencies.end());
    }
    of.all_done.count_down();
    self->quit();
    return;
  }
  const auto begun = std::chrono::steady_clock::now();
  tell(self, of.writer, facts[state.told++], [=, &facts, &of](const write_reply& reply) {
    self->state.latencies.push_back(micros_since(begun));
    if (!reply) {
      const std::scoped_lock lock{of.guard};
      of.trouble = reply.error().message;
    }
    tell_next(self, facts, of);
  });
}

teller::behavior_type tell_all(teller_pointer self, const std::vector<fact_ptr>* facts, telling* of) {
  tell_next(self, *facts, *of);
  return {[](const later& due) { due.act(); }};
}

class through_writer final : public candidate {
 public:
  through_writer(const std::filesystem::path& path, const place& where) : candidate(path, where), actors_(options()) {}

  round_cost commit(const round_of_facts& facts, std::int64_t /*commits*/) override {
    telling of{facts.producers().size()};
    of.writer = actors_.writer();
    const auto before = commits_so_far();
    const stop_watch watch;
    for (const auto& one : facts.producers()) {
      actors_.system().spawn(tell_all, &one.facts, &of);
    }
    of.all_done.wait();
    auto cost = watch.per_fact(facts.facts());
    cost.commits = commits_so_far() - before;
    if (!of.trouble.empty()) {
      throw std::runtime_error{of.trouble};
    }
    cost.latencies = std::move(of.latencies);
    return cost;
  }

 private:
  writing_actors actors_;
};

}  // namespace

std::unique_ptr<candidate> writer_candidate(const std::filesystem::path& path, const place& where) {
  return std::make_unique<through_writer>(path, where);
}

}  // namespace troupe::perf
