#include "perf/endless_load.hpp"

#include "tests/storage/facts.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace troupe::perf {
namespace {

constexpr int tasks_each = 10;
constexpr std::size_t output_bytes = 500;
constexpr std::int64_t one_latency_in = 16;

using clock = std::chrono::steady_clock;
using teller = caf::typed_actor<caf::reacts_to<later>>;

}  // namespace

std::vector<fact_ptr> whole_run(const std::string& id, int tasks) {
  story told{id};
  std::vector<std::pair<std::string, std::string>> front;
  front.reserve(static_cast<std::size_t>(tasks));
  for (int t = 0; t < tasks; ++t) {
    front.emplace_back("review", "agent-" + std::to_string(t));
  }
  std::vector<fact_ptr> facts;
  const auto add = [&](auto fact) { facts.push_back(std::make_shared<const write_command>(std::move(fact))); };
  add(told.created(front));
  for (const auto& [step, agent] : front) {
    const auto task = told.task(step, agent);
    add(told.started(task));
    add(told.printed(task, std::string(output_bytes, 'x')));
    add(told.finished(task, R"({"decision":"yes"})"));
  }
  add(told.committed(1, R"({"findings":["yes"]})"));
  return facts;
}

std::string id_of_run(const std::string& name, std::int64_t number) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "-%09lld", static_cast<long long>(number));
  return name + digits.data();
}

struct endless_load::shared {
  explicit shared(int producers) : all_done(producers) {}

  std::string name;
  writer_access writer;
  std::atomic<std::int64_t> runs{0};
  std::atomic<std::int64_t> told{0};
  std::atomic<bool> stopping{false};
  std::latch all_done;
  std::mutex guard;
  sample latencies;
  std::string trouble;
  bool has_stopped = false;
};

namespace {

struct teller_state {
  static inline const char* name = "producer";
  std::vector<fact_ptr> facts;
  std::size_t next = 0;
};

using teller_pointer = teller::stateful_pointer<teller_state>;

template <class Shared>
void tell_next(teller_pointer self, Shared* of) {
  auto& state = self->state;
  if (of->stopping) {
    of->all_done.count_down();
    self->quit();
    return;
  }
  if (state.next == state.facts.size()) {
    state.facts = whole_run(id_of_run(of->name, of->runs++), tasks_each);
    state.next = 0;
  }
  const auto begun = clock::now();
  tell(self, of->writer, state.facts[state.next++], [=](const write_reply& reply) {
    const auto number = ++of->told;
    if (!reply || number % one_latency_in == 0) {
      const std::scoped_lock lock{of->guard};
      of->latencies.push_back(std::chrono::duration<double, std::micro>(clock::now() - begun).count());
      if (!reply) {
        of->trouble = reply.error().message;
        of->stopping = true;
      }
    }
    tell_next(self, of);
  });
}

template <class Shared>
teller::behavior_type tell_for_ever(teller_pointer self, Shared* of) {
  tell_next(self, of);
  return {[](const later& due) { due.act(); }};
}

}  // namespace

endless_load::endless_load(writing_actors& on, const std::string& name, int producers)
    : shared_(std::make_unique<shared>(producers)) {
  shared_->name = name;
  shared_->writer = on.writer();
  for (int i = 0; i < producers; ++i) {
    on.system().spawn(tell_for_ever<shared>, shared_.get());
  }
}

endless_load::~endless_load() {
  try {
    stop();
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "producers: %s\n", thrown.what());
  }
}

void endless_load::stop() {
  if (std::exchange(shared_->has_stopped, true)) {
    return;
  }
  shared_->stopping = true;
  shared_->all_done.wait();
  if (!shared_->trouble.empty()) {
    throw std::runtime_error{shared_->trouble};
  }
}

std::int64_t endless_load::facts() const noexcept { return shared_->told; }

sample endless_load::take_latencies() {
  const std::scoped_lock lock{shared_->guard};
  return std::exchange(shared_->latencies, {});
}

}  // namespace troupe::perf
