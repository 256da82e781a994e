// A database in which attempts of one and another run reserve, end and cost.
#pragma once

#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

inline attempt_cost reported(std::int64_t microusd, std::int64_t input = 100, std::int64_t output = 20) {
  return {"m", input, output, microusd, cost_source::reported};
}

class budgets_fixture : public testing::Test {
 protected:
  // A run of two tasks beside each other.
  void create(story& of, const std::optional<std::int64_t>& microusd, const std::optional<std::int64_t>& tokens = {}) {
    auto told = of.created({{"one", "a"}, {"two", "b"}});
    told.budget = {microusd, tokens, time_};
    must_write(*session_, told);
  }

  reserve_budget wanted(const story& of,
                        const std::string& step,
                        const std::string& agent,
                        std::int64_t microusd,
                        std::int64_t tokens = 0,
                        std::int64_t attempt = 1) const {
    return {of.run, of.task(step, agent), attempt_no{attempt}, microusd, tokens, expected_, ceilings_, at_second(1)};
  }

  applied finish(story& of,
                 const std::string& step,
                 const std::string& agent,
                 const std::optional<attempt_cost>& cost,
                 task_state state = task_state::completed,
                 std::int64_t attempt = 1) {
    const auto task = of.task(step, agent);
    must_write(*session_, of.started(task, attempt));
    auto told = state == task_state::completed ? of.finished(task, "1", attempt) : of.interrupted(task, attempt);
    if (state == task_state::completed) {
      must_write(*session_, of.printed(task, "1", attempt));
    } else {
      told.outcome.state = state;
      told.outcome.why = error{error_code::agent_exit, "it failed", ""};
    }
    told.outcome.usage.reset();
    told.outcome.cost = cost;
    told.outcome.took = took_;
    return must_write(*session_, told);
  }

  std::vector<std::string> rows(const std::string& sql) const {
    SQLite::Database plain{place_.path().string(), SQLite::OPEN_READONLY};
    SQLite::Statement query{plain, sql};
    std::vector<std::string> found;
    while (query.executeStep()) {
      std::string line;
      for (int i = 0; i < query.getColumnCount(); ++i) {
        line += (i == 0 ? "" : " ") + query.getColumn(i).getString();
      }
      found.push_back(line);
    }
    return found;
  }

  std::vector<std::string> budgets() const {
    return rows("SELECT scope, scope_key, unit, ceiling, reserved, spent FROM budgets ORDER BY 1, 2, 3");
  }

  static std::vector<std::string> warnings(const applied& by) {
    std::vector<std::string> told;
    for (const auto& each : by.events) {
      if (each.kind == event_kind::budget_warned) {
        told.push_back(each.data.str());
      }
    }
    return told;
  }

  run_view view_of(const story& of) const { return *(*read_session::open(place_.options()))->find_run(of.run); }

  temporary_database place_;
  std::unique_ptr<write_session> session_ = writer_on(place_.options());
  budget_ceilings ceilings_;
  std::optional<std::chrono::microseconds> time_;  // of runs that are created from now on
  std::chrono::microseconds expected_{0};          // of reservations from now on
  std::optional<std::chrono::microseconds> took_;  // of attempts that end from now on
};

}  // namespace troupe
