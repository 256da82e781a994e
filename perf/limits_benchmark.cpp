// What the limits cost: the breaker for each call, the admission for each attempt with few and with many that wait, and
// the memory of those. Brains only: no actor and no message.
#include "actors/governor/admission.hpp"
#include "actors/governor/circuit_breaker.hpp"
#include "actors/retry_scheduler/wait_list.hpp"
#include "perf/report.hpp"

#include <malloc.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::perf {
namespace {

using clock = std::chrono::steady_clock;

constexpr int calls_in_a_round = 1'000;

double us_since(clock::time_point begun) {
  return std::chrono::duration<double, std::micro>(clock::now() - begun).count();
}

std::size_t bytes_in_use() { return mallinfo2().uordblks; }

void measure_breaker(report& to) {
  sample each;
  circuit_breaker breaker{breaker_spec{}};
  instant now{std::chrono::hours{1}};
  for (std::size_t round = 0; round < to.with().rounds(200) + 10; ++round) {
    const auto begun = clock::now();
    for (int i = 0; i < calls_in_a_round; ++i) {
      now += std::chrono::milliseconds{1};
      if (!breaker.lets_through(now)) {
        throw std::runtime_error{"the breaker is open"};
      }
      breaker.end(breaker.begin(now), i % 3 == 0 ? permit_end::failed : permit_end::succeeded, now);
    }
    if (round >= 10) {
      each.push_back(us_since(begun) / calls_in_a_round);
    }
  }
  to.section("circuit breaker");
  to.figure("look, begin and end of a call", "us", each);
  to.at_most("RT-4", "a call through the breaker", quantile(each, 0.99), 1.0, "us");
}

/// A provider whose every limit is looked at, with as many that wait as it is told; one runs.
class busy_admission {
 public:
  busy_admission(int waiting, int runs) : runs_(runs), brain_(rules()) {
    brain_.restored({{provider_name{"p"}, 0, {}}}, now_);
    for (int i = 0; i <= waiting; ++i) {
      ask();
    }
  }

  // One ends, the next of those that wait begins, and another comes.
  void turn() {
    now_.steady += std::chrono::milliseconds{20};
    now_.day += std::chrono::milliseconds{20};
    take(brain_.returned({running_, permit_end::succeeded, token_estimate{900, 90}, std::nullopt}, now_));
    ask();
  }

 private:
  static admission_rules rules() {
    provider_spec spec;
    spec.name = provider_name{"p"};
    spec.max_concurrent = 1;
    spec.requests_per_minute = 1'000'000;
    spec.input_tokens_per_minute = 1'000'000'000;
    spec.output_tokens_per_minute = 1'000'000'000;
    spec.requests_per_day = 1'000'000'000;
    admission_rules made;
    made.providers[spec.name] = spec;
    return made;
  }

  void ask() {
    const auto number = ++newest_;
    ask_permit what;
    what.run = run_id{"r-01hq2v5k3m7n9p" + std::to_string(number % static_cast<std::uint64_t>(runs_))};
    what.task = task_id{what.run.str() + "/1/review/agent-" + std::to_string(number)};
    what.attempt = attempt_no{1};
    what.provider = provider_name{"p"};
    what.estimate = {1'000, 100};
    take(brain_.ask(number, 1, what, now_));
  }

  void take(const admission::decisions& out) {
    for (const auto& each : out.grants) {
      running_ = each.permit;
    }
  }

  int runs_;
  moment now_{timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}}, instant{std::chrono::hours{1}}};
  admission brain_;
  admission::question newest_ = 0;
  permit_id running_;
};

void measure_admission(report& to, int waiting) {
  const int runs = waiting < 100 ? 1 : waiting / 10;
  const auto before = bytes_in_use();
  auto busy = std::make_unique<busy_admission>(waiting, runs);
  const auto bytes = static_cast<double>(bytes_in_use() - before) / (waiting + 1);
  sample each;
  for (std::size_t round = 0; round < to.with().rounds(100) + 10; ++round) {
    const auto begun = clock::now();
    for (int i = 0; i < calls_in_a_round; ++i) {
      busy->turn();
    }
    if (round >= 10) {
      each.push_back(us_since(begun) / calls_in_a_round);
    }
  }
  to.section("admission, " + std::to_string(waiting) + " wait, of " + std::to_string(runs) + " runs");
  to.figure("return, grant and ask of an attempt", "us", each);
  if (waiting >= 100) {
    to.figure("memory of one that waits", "bytes", {bytes});
  }
}

void measure_waits(report& to) {
  constexpr int waiting = 10'000;
  const timestamp begin{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
  sample add;
  sample wake;
  double bytes = 0;
  for (std::size_t round = 0; round < to.with().rounds(30) + 3; ++round) {
    wait_list list;
    const auto before = bytes_in_use();
    auto begun = clock::now();
    for (int i = 0; i < waiting; ++i) {
      const auto run = "r-01hq2v5k3m7n9p" + std::to_string(i / 10);
      list.add(run_id{run},
               run + "/1/review/agent-" + std::to_string(i),
               begin + std::chrono::milliseconds{i * 7 % 1'000},
               1);
    }
    const auto added = us_since(begun) / waiting;
    bytes = static_cast<double>(bytes_in_use() - before) / waiting;
    begun = clock::now();
    for (int i = 0; i < 1'000; ++i) {
      list.take_due(begin + std::chrono::milliseconds{i});
    }
    if (round >= 3) {
      add.push_back(added);
      wake.push_back(us_since(begun) / waiting);
    }
  }
  to.section("retries that wait for their time, 10,000");
  to.figure("to wait", "us", add);
  to.figure("to be woken", "us", wake);
  to.figure("memory of one that waits", "bytes", {bytes});
}

void run(report& to) {
  measure_breaker(to);
  for (const int waiting : {1, 100, 10'000}) {
    measure_admission(to, waiting);
  }
  measure_waits(to);
}

}  // namespace
}  // namespace troupe::perf

int main(int count, char** arguments) {
  return troupe::perf::run_benchmark("limits_benchmark", count, arguments, troupe::perf::run);
}
