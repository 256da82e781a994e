#include "tests/storage/workload.hpp"

#include "tests/storage/facts.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <utility>

namespace troupe {
namespace {

using facts = std::deque<write_command>;

facts completed_run(story told, std::size_t output_bytes) {
  const auto survey = told.task("survey", "claude");
  const auto probe = told.task("probe", "gpt");
  const auto plan = told.task("plan", "claude", 2);
  return {
      told.created({{"survey", "claude"}, {"probe", "gpt"}}),
      told.started(survey),
      told.started(probe),
      told.printed(survey, std::string(output_bytes, 'x')),
      told.finished(survey, "1"),
      told.printed(probe, "two"),
      told.finished(probe, "2"),
      told.committed(1,
                     R"({"findings":["x"]})",
                     {{"plan", "claude"}},
                     {story::alone("survey", "claude", "1"), story::alone("probe", "gpt", "2")}),
      told.started(plan),
      told.printed(plan, "three"),
      told.finished(plan, "3"),
      told.committed(2, R"({"findings":["x"],"plan":3})", {}, {story::alone("plan", "claude", "3")}),
  };
}

facts resumed_run(story told, std::size_t output_bytes) {
  const auto survey = told.task("survey", "claude");
  return {
      told.created(),
      told.started(survey),
      told.ended(run_state::paused, 3),
      told.resumed(4),
      told.started(survey, 2),
      told.printed(survey, std::string(output_bytes, 'y'), 2),
      told.finished(survey, "1", 2),
      told.committed(1, R"({"findings":["x"]})", {}, {story::alone("survey", "claude", "1")}),
  };
}

facts cancelled_run(story told) {
  return {told.created(), told.started(told.task("survey", "claude")), told.ended(run_state::cancelled, 3)};
}

facts failed_run(story told) {
  const auto survey = told.task("survey", "claude");
  return {told.created({{"survey", "claude"}, {"survey", "gpt"}}),
          told.started(survey),
          told.printed(survey, "no"),
          told.failed(survey, error_code::agent_exit),
          told.ended(run_state::failed, 5, error_code::agent_exit)};
}

facts facts_of_run(int number, std::size_t output_bytes) {
  const story told{"r-" + std::to_string(number), std::int64_t{1'000} * number};
  switch (number % 4) {
    case 0:
      return completed_run(told, output_bytes);
    case 1:
      return resumed_run(told, output_bytes);
    case 2:
      return cancelled_run(told);
    default:
      return failed_run(told);
  }
}

}  // namespace

std::vector<transaction_commands> make_workload(int runs) {
  constexpr std::size_t runs_at_once = 5;
  std::mt19937 random{7};  // always the same
  const auto one_in = [&random](unsigned n) { return random() % n == 0; };
  std::vector<transaction_commands> transactions;
  std::vector<facts> open;
  for (int next = 0; next < runs || !open.empty();) {
    if (next < runs && open.size() < runs_at_once) {
      open.push_back(facts_of_run(next++, one_in(8) ? 10'000 : 100));
      continue;
    }
    if (transactions.empty() || !one_in(5)) {
      transactions.emplace_back();
    }
    const auto chosen = open.begin() + static_cast<std::ptrdiff_t>(random() % open.size());
    transactions.back().push_back(std::move(chosen->front()));
    chosen->pop_front();
    if (chosen->empty()) {
      open.erase(chosen);
    }
  }
  return transactions;
}

result<std::vector<applied>> tell(write_session& session, const transaction_commands& commands) {
  if (auto begun = session.begin(); !begun) {
    return begun.error();
  }
  std::vector<applied> all;
  for (const auto& command : commands) {
    auto one = session.apply(command);
    if (!one) {
      session.rollback();
      return one.error();
    }
    all.push_back(*std::move(one));
  }
  if (auto committed = session.commit(); !committed) {
    return committed.error();
  }
  return all;
}

}  // namespace troupe
