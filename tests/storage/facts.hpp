// The commands of a run, as the actors would tell them.
#pragma once

#include "messages/base/sha256.hpp"
#include "messages/writes.hpp"
#include "storage/write_session.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

inline timestamp at_second(std::int64_t second) { return timestamp{std::chrono::seconds{1'795'245'000 + second}}; }

inline std::string hash_of(const json_text& state) { return "sha256:" + sha256_hex(state.str()); }

inline planned_task planned(const run_id& run,
                            std::int64_t superstep,
                            const std::string& step,
                            const std::string& agent,
                            std::int64_t order = 0) {
  const superstep_no number{superstep};
  return {make_task_id(run, number, step_id{step}, agent_name{agent}), number, step_id{step}, agent_name{agent}, order};
}

/// Tells the facts of one run, each a second after the one before.
class story {
 public:
  explicit story(std::string id, std::int64_t begins = 0) : run(std::move(id)), second_(begins) {}

  task_id task(const std::string& step, const std::string& agent, std::int64_t superstep = 1) const {
    return make_task_id(run, superstep_no{superstep}, step_id{step}, agent_name{agent});
  }

  create_run created(const std::vector<std::pair<std::string, std::string>>& front = {{"survey", "claude"}}) {
    create_run told;
    told.run = run;
    told.workflow_name = "review";
    told.workflow_hash = "sha256:workflow";
    told.workflow_source = "name = \"review\"\n";
    told.config_hash = "sha256:config";
    told.config_source = "config_version = 1\n";
    told.subject = "SPEC-7";
    told.inputs = json_text{R"({"topic":"locks"})"};
    told.initial_state = json_text{R"({"findings":[]})"};
    told.state_hash = hash_of(told.initial_state);
    told.wall_clock = std::chrono::minutes{10};
    told.front = front_of(1, front);
    told.at = next();
    return told;
  }

  std::vector<planned_task> front_of(std::int64_t superstep,
                                     const std::vector<std::pair<std::string, std::string>>& tasks) const {
    std::vector<planned_task> front;
    front.reserve(tasks.size());
    for (const auto& [step, agent] : tasks) {
      front.push_back(planned(run, superstep, step, agent, static_cast<std::int64_t>(front.size())));
    }
    return front;
  }

  start_attempt started(const task_id& which, std::int64_t attempt = 1, std::int64_t pid = 4711) {
    return {run, which, attempt_no{attempt}, pid, pid * 10, next()};
  }

  /// Of a day's budget: a micro-dollar, a token and a microsecond of very many.
  reserve_budget reserved(const task_id& which, std::int64_t attempt = 1) {
    const budget_limits most{1'000'000'000, 1'000'000'000, 1'000'000s};
    return {run, which, attempt_no{attempt}, 1, 1, 1us, {{}, most}, next()};
  }

  record_output printed(const task_id& which,
                        std::string output,
                        std::int64_t attempt = 1,
                        std::string errors = "warning\n") {
    record_output told;
    told.run = run;
    told.task = which;
    told.attempt = attempt_no{attempt};
    told.exit.exit_code = 0;
    told.exit.cpu_time = std::chrono::microseconds{1'500};
    told.exit.resident_bytes_max = 1 << 20;
    told.standard_output_bytes = static_cast<std::int64_t>(output.size());
    told.standard_error_bytes = static_cast<std::int64_t>(errors.size());
    told.standard_output = std::make_shared<const std::string>(std::move(output));
    told.standard_error = std::make_shared<const std::string>(std::move(errors));
    told.at = next();
    return told;
  }

  finish_attempt finished(const task_id& which, const std::string& value, std::int64_t attempt = 1) {
    finish_attempt told{run, which, attempt_no{attempt}, {}, next()};
    told.outcome.value = json_text{value};
    told.outcome.found_by = "whole";
    told.outcome.usage = token_usage{"claude-sonnet-4-5", 100, 20};
    return told;
  }

  finish_attempt failed(const task_id& which, error_code code, std::int64_t attempt = 1) {
    finish_attempt told{run, which, attempt_no{attempt}, {}, next()};
    told.outcome.state = task_state::failed;
    told.outcome.why = error{code, "it did not work", "look again"};
    return told;
  }

  finish_attempt interrupted(const task_id& which, std::int64_t attempt = 1) {
    finish_attempt told{run, which, attempt_no{attempt}, {}, next()};
    told.outcome.state = task_state::interrupted;
    return told;
  }

  /// A verdict of one agent on its own.
  static step_verdict alone(const std::string& step, const std::string& agent, const std::string& value) {
    step_verdict told;
    told.step = step_id{step};
    told.reached.asked = told.reached.answered = {agent_name{agent}};
    told.reached.winner = json_text{value};
    told.reached.agreement = 1;
    told.answers = {{agent_name{agent}, json_text{value}, std::nullopt}};
    return told;
  }

  commit_superstep committed(std::int64_t superstep,
                             const std::string& state,
                             const std::vector<std::pair<std::string, std::string>>& next_front = {},
                             std::vector<step_verdict> verdicts = {}) {
    commit_superstep told;
    told.run = run;
    told.superstep = superstep_no{superstep};
    told.verdicts = std::move(verdicts);
    told.deltas = json_text{"[]"};
    told.state = json_text{state};
    told.state_hash = hash_of(told.state);
    told.idempotency_key = "sha256:key-" + std::to_string(superstep);
    told.next_front = front_of(superstep + 1, next_front);
    if (told.next_front.empty()) {
      told.end = run_end{};
    }
    told.at = next();
    return told;
  }

  end_run ended(run_state state, std::int64_t from, error_code code = error_code::cancelled) {
    run_end end;
    end.state = state;
    end.why = error{code, "asked for", ""};
    return {run, end, event_seq{from}, next()};
  }

  /// A gate that a commit would open, of the first superstep and without a limit, asked by a command of its own.
  open_gate asked(const std::string& step) {
    gate_opening gate;
    gate.place = {superstep_no{1}, step_id{step}};
    gate.prompt = "Go on?";
    gate.path = graph_path{}.then(1);
    return {run, gate, next()};
  }

  decide_gate decided(const std::string& step, const std::string& by, gate_choice choice = gate_choice::approved) {
    return {run, {superstep_no{1}, step_id{step}}, {by, choice, "fine", std::nullopt, "", next()}};
  }

  expire_gate expired(const std::string& step) { return {run, {superstep_no{1}, step_id{step}}, next()}; }

  resume_run resumed(std::int64_t from) { return {run, event_seq{from}, next()}; }

  run_id run;

 private:
  timestamp next() { return at_second(second_++); }

  std::int64_t second_;
};

/// A session on `options`, or a failed test.
inline std::unique_ptr<write_session> writer_on(const storage_options& options, std::int64_t epoch = 1) {
  auto opened = write_session::open(options, lease_epoch{epoch});
  if (!opened) {
    ADD_FAILURE() << opened.error().message;
    throw std::runtime_error{opened.error().message};
  }
  return *std::move(opened);
}

/// Applies `command` in a transaction of its own and commits.
inline result<applied> write_one(write_session& session, const write_command& command) {
  if (auto begun = session.begin(); !begun) {
    return begun.error();
  }
  auto outcome = session.apply(command);
  if (auto committed = session.commit(); !committed) {
    return committed.error();
  }
  return outcome;
}

/// The same, and it must succeed.
inline applied must_write(write_session& session, const write_command& command) {
  auto outcome = write_one(session, command);
  if (!outcome) {
    ADD_FAILURE() << kind_of(command) << ": " << to_string(outcome.error().code) << ' ' << outcome.error().message;
    return {};
  }
  return *std::move(outcome);
}

/// The code of the error, or nothing where there was none.
template <class T>
std::optional<error_code> code_of(const result<T>& outcome) {
  return outcome ? std::nullopt : std::optional{outcome.error().code};
}

}  // namespace troupe
