// Runs that wait for people, in a house: workflows with gates, and what tests do to them and expect of them.
#pragma once

#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/actors/run/plan_material.hpp"
#include "tests/support/house.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

inline step gate_step(const std::string& id, const std::vector<std::string>& next = {}) {
  auto made = function_step(id, next);
  made.function.reset();
  made.gate.emplace().levels.emplace_back().prompt = "Go on?";
  return made;
}

inline step expiring(step made, milliseconds after, expiry_policy policy) {
  auto& level = made.gate->levels.front();
  level.expires = after;
  level.on_expiry = policy;
  return made;
}

inline workflow_ptr named(workflow flow, const std::string& name) {
  flow.name = name;
  flow.source = "name = \"" + name + "\"\n";
  flow.hash = "sha256:" + name;
  return std::make_shared<const workflow>(std::move(flow));
}

// survey (agent a), then the gate, then merge (agent b).
inline workflow_ptr guarded(step gate = gate_step("approve", {"merge"})) {
  return named(flow_of({agent_step("survey", {"a"}, {"approve"}), std::move(gate), agent_step("merge", {"b"})}),
               "guarded");
}

/// A house with one run that asks people.
class run_gates_test : public testing::Test {
 protected:
  ~run_gates_test() override {
    const auto findings = check_database(house_.database.options());
    EXPECT_TRUE(findings.has_value());
    for (const auto& each : *findings) {
      ADD_FAILURE() << each.rule << ": " << each.text;
    }
  }

  void begin(const workflow_ptr& flow) {
    house_.functions["work"] = [](const function_request&) -> result<function_reply> {
      return function_reply{json_text{"1"}, {}, {}, {}};
    };
    house_.start();
    begin_run(flow, "r-1");
  }

  /// In the house that stands already.
  void begin_run(const workflow_ptr& flow, const std::string& id) {
    flow_ = flow;
    id_ = id;
    first_process_ = house_.processes->count();
    house_.events.clear();
    const auto reply = house_.submit(flow, id_);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    house_.listen(id_);
  }

  std::size_t processes() const { return house_.processes->count() - first_process_; }

  /// A run that waits for its gate, after its first step.
  void begin_and_wait(const workflow_ptr& flow = guarded()) {
    begin(flow);
    exit(0);
    expect_waiting();
  }

  /// The next process goes on with the run.
  void start_again() {
    house_.start();
    ASSERT_TRUE(house_.submit(flow_, id_).has_value());
    house_.advance(100ms);  // so that its listener finds the new hub
    settle();
  }

  // A run that goes to sleep and wakes for ever would never be done.
  void settle() {
    int messages = 0;
    while (house_.scheduler().try_run_once()) {
      if (++messages > 50'000) {
        FAIL() << "it does not come to rest";
      }
    }
  }

  /// Of the run, in the order of their starts.
  void exit(std::size_t process, const std::string& output = "ok") {
    ASSERT_LT(process, processes());
    house_.processes->exit(first_process_ + process, output);
    settle();
  }

  void expect_waiting() {
    EXPECT_EQ(house_.view(id_).state, run_state::paused);
    EXPECT_EQ(last_event("run.paused"), R"({"cause":"approval"})");
  }

  void expect_end(run_state state) {
    const auto run = house_.view(id_);
    EXPECT_EQ(run.state, state) << (run.why ? run.why->message : "");
    EXPECT_THAT(house_.seqs_are_gapless(), testing::IsEmpty());
    EXPECT_FALSE(house_.stopped) << house_.stopped->message;
  }

  std::string last_event(const std::string& kind) {
    const auto found = std::find_if(
        house_.events.rbegin(), house_.events.rend(), [&](const event& each) { return to_string(each.kind) == kind; });
    return found == house_.events.rend() ? "none" : found->data.str();
  }

  std::int64_t count(const std::string& kind) {
    const auto all = house_.kinds();
    return std::ranges::count(all, kind);
  }

  std::optional<gate_place> open_gate_of(const std::string& step) {
    for (const auto& gate : house_.gates(id_)) {
      if (gate.asked.place.step.str() == step && gate.state == gate_state::open) {
        return gate.asked.place;
      }
    }
    return std::nullopt;
  }

  decide_gate decision_on(const gate_place& place, gate_choice choice, const std::string& by) const {
    decide_gate told{run_id{id_}, place, {}};
    told.decision.by = by;
    told.decision.choice = choice;
    return told;
  }

  write_reply decide(const decide_gate& told) {
    write_reply answer = error{error_code::internal, "no answer", ""};
    caf::scoped_actor self{*house_.system};
    auto asked = self->request(house_.runs.get(), caf::infinite, told);
    for (int i = 0; i < 20 && self->mailbox().empty(); ++i) {
      settle();
      if (self->mailbox().empty()) {
        house_.advance(100ms);
      }
    }
    if (self->mailbox().empty()) {
      ADD_FAILURE() << "nobody answered";
      return answer;
    }
    asked.receive([&](const write_reply& reply) { answer = reply; }, [](const caf::error&) {});
    settle();
    return answer;
  }

  write_reply decide(const std::string& step,
                     gate_choice choice = gate_choice::approved,
                     const std::string& by = "ann") {
    const auto place = open_gate_of(step);
    if (!place) {
      return error{error_code::not_found, "no open gate of " + step, ""};
    }
    return decide(decision_on(*place, choice, by));
  }

  void send(const decide_gate& told) { caf::anon_send(house_.runs.get(), told); }

  house house_;
  workflow_ptr flow_;
  std::string id_;
  std::size_t first_process_ = 0;
};

}  // namespace troupe
