#include "storage/gates.hpp"

#include "messages/base/json_slices.hpp"
#include "storage/event_data.hpp"
#include "storage/json_object.hpp"
#include "storage/stored_names.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe {
namespace {

std::string task_text(const gate_place& place) { return place.task ? place.task->str() : ""; }

std::string named(const run_change& change, const gate_place& place) {
  return "gate '" + place.step.str() + "' of run " + change.run().str();
}

// A row of gates as far as a command has to know it.
struct gate_row {
  std::int64_t id = 0;
  gate_state state = gate_state::open;
  int votes = 1;
  std::vector<std::string> voters;
  std::string action_hash;
  expiry_policy on_expiry = expiry_policy::fail;
  bool taken = false;
};

template <class Enum>
Enum known(std::optional<Enum> found, const char* what) {
  if (!found) {
    throw damaged_row{std::string{"a gate has an unknown "} + what};
  }
  return *found;
}

std::vector<std::string> voters_in(const prepared& row, int column) {
  const auto text = row.text(column);
  const auto names = split_array(text);
  if (!names) {
    throw damaged_row{"a gate's voters are not a list"};
  }
  std::vector<std::string> voters;
  for (const auto quoted : *names) {
    auto name = decode_string(quoted);
    if (!name) {
      throw damaged_row{"a gate's voters are not names"};
    }
    voters.push_back(*std::move(name));
  }
  return voters;
}

result<gate_row> find_gate(run_change& change, const gate_place& place) {
  auto found = change.sql().use(
      "SELECT id, state, votes_needed, voters, action_hash, on_expiry, taken_at FROM gates"
      " WHERE run_id = ? AND superstep = ? AND step_id = ? AND level = ? AND task_id = ?",
      change.run(),
      place.superstep,
      place.step,
      place.level,
      task_text(place));
  if (!found.step()) {
    return error{error_code::not_found,
                 "there is no " + named(change, place) + " that was opened in superstep " +
                     std::to_string(place.superstep.value()),
                 "`troupe pending` lists those that wait for a decision"};
  }
  return gate_row{found.number(0),
                  known(gate_state_from(found.text(1)), "state"),
                  static_cast<int>(found.number(2)),
                  voters_in(found, 3),
                  found.text(4),
                  known(expiry_policy_from(found.text(5)), "policy"),
                  !found.is_null(6)};
}

status must_be_open(run_change& change, const gate_place& place, const gate_row& gate) {
  if (gate.state == gate_state::open) {
    return done;
  }
  return too_late(named(change, place) + " is " + std::string{to_string(gate.state)} + " already");
}

status may_decide(run_change& change, const decide_gate& told, const gate_row& gate) {
  const auto& by = told.decision.by;
  if (by.empty()) {
    return error{error_code::invalid_input, "a decision needs somebody who made it", "say who with --as"};
  }
  if (!gate.voters.empty() && std::ranges::find(gate.voters, by) == gate.voters.end()) {
    std::string voters;
    for (const auto& name : gate.voters) {
      voters += (voters.empty() ? "" : ", ") + name;
    }
    return error{error_code::invalid_input,
                 "'" + by + "' has no vote on " + named(change, told.place) + "; nothing was decided",
                 "those who have: " + voters};
  }
  if (!told.decision.action_hash.empty() && told.decision.action_hash != gate.action_hash) {
    return error{error_code::invalid_input,
                 named(change, told.place) + " asks about " +
                     (gate.action_hash.empty() ? "no action" : "the action " + gate.action_hash) + ", not about " +
                     told.decision.action_hash + "; nothing was decided",
                 "look at it again: `troupe pending`"};
  }
  return done;
}

struct vote_count {
  int approvals = 0;
  int rejections = 0;
};

vote_count count_votes(run_change& change, std::int64_t gate) {
  auto found = change.sql().use(
      "SELECT coalesce(sum(decision = 'approved'), 0), coalesce(sum(decision = 'rejected'), 0) FROM gate_decisions"
      " WHERE gate_id = ?",
      gate);
  return found.step() ? vote_count{static_cast<int>(found.number(0)), static_cast<int>(found.number(1))} : vote_count{};
}

// Of those who have a vote, so many may say no; where anybody has one, a single no is enough.
gate_state judged(const gate_row& gate, const vote_count& votes) {
  const auto noes_allowed = gate.voters.empty() ? 0 : static_cast<int>(gate.voters.size()) - gate.votes;
  if (votes.approvals >= gate.votes) {
    return gate_state::approved;
  }
  return votes.rejections > noes_allowed ? gate_state::rejected : gate_state::open;
}

gate_state expired_as(expiry_policy policy) {
  switch (policy) {
    case expiry_policy::approve:
      return gate_state::approved;
    case expiry_policy::reject:
      return gate_state::rejected;
    case expiry_policy::escalate:
    case expiry_policy::fail:
      return gate_state::expired;
  }
  return gate_state::expired;
}

void close(run_change& change, const gate_row& gate, gate_state as) {
  change.sql().run("UPDATE gates SET state = ?2, closed_at = ?3 WHERE id = ?1", gate.id, to_string(as), change.at());
}

gate_view view_of(const prepared& row, const run_id& run) {
  gate_view view;
  view.run = run;
  auto& asked = view.asked;
  asked.place = {superstep_no{row.number(1)},
                 step_id{row.text(2)},
                 static_cast<int>(row.number(3)),
                 row.text(4).empty() ? std::nullopt : std::optional{task_id{row.text(4)}}};
  asked.kind = known(gate_kind_from(row.text(5)), "kind");
  asked.path = known(graph_path::from(row.text(6)), "path");
  asked.prompt = row.text(7);
  asked.action_hash = row.text(8);
  asked.votes = static_cast<int>(row.number(9));
  asked.voters = voters_in(row, 10);
  asked.on_expiry = known(expiry_policy_from(row.text(11)), "policy");
  view.state = known(gate_state_from(row.text(12)), "state");
  view.opened_at = row.time(13);
  view.expires_at = row.time_if(14);
  if (view.expires_at) {
    asked.expires = std::chrono::ceil<milliseconds>(*view.expires_at - view.opened_at);
  }
  view.closed_at = row.time_if(15);
  view.taken_at = row.is_null(16) ? std::nullopt : std::optional{superstep_no{row.number(16)}};
  return view;
}

void add_decisions(statement_cache& sql, std::int64_t gate, gate_view& into) {
  auto row = sql.use(
      "SELECT decided_by, decision, comment, state_edit, action_hash, decided_at FROM gate_decisions"
      " WHERE gate_id = ? ORDER BY ordinal",
      gate);
  while (row.step()) {
    into.decisions.push_back({row.text(0),
                              known(gate_choice_from(row.text(1)), "decision"),
                              row.text(2),
                              row.is_null(3) ? std::nullopt : std::optional{json_text{row.text(3)}},
                              row.text(4),
                              row.time(5)});
  }
}

#define TROUPE_GATE_COLUMNS                                                                           \
  "SELECT g.id, g.superstep, g.step_id, g.level, g.task_id, g.kind, g.path, g.prompt, g.action_hash," \
  " g.votes_needed, g.voters, g.on_expiry, g.state, g.opened_at, g.expires_at, g.closed_at, g.taken_at"

std::vector<gate_view> gates_by(statement_cache& sql, const char* query, const run_id& run) {
  std::vector<gate_view> views;
  std::vector<std::int64_t> ids;
  {
    auto row = sql.use(query, run);
    while (row.step()) {
      ids.push_back(row.number(0));
      views.push_back(view_of(row, run));
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    add_decisions(sql, ids[i], views[i]);
  }
  return views;
}

}  // namespace

status open(run_change& change, const gate_opening& asked) {
  if (asked.place.superstep != change.open_superstep()) {
    return illegal(named(change, asked.place) + " is of superstep " + std::to_string(asked.place.superstep.value()) +
                   ", the open one is " + std::to_string(change.open_superstep().value()));
  }
  const auto expires_at = asked.expires ? std::optional{change.at() + *asked.expires} : std::nullopt;
  const auto made = change.sql().run(
      "INSERT INTO gates (run_id, superstep, step_id, level, task_id, kind, path, prompt, action_hash, votes_needed,"
      " voters, on_expiry, state, opened_at, expires_at)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING",
      change.run(),
      asked.place.superstep,
      asked.place.step,
      asked.place.level,
      task_text(asked.place),
      to_string(asked.kind),
      asked.path.str(),
      asked.prompt,
      asked.action_hash.empty() ? std::nullopt : std::optional{asked.action_hash},
      asked.votes,
      json_array(asked.voters, json_string),
      to_string(asked.on_expiry),
      change.at(),
      expires_at);
  if (made == 0) {
    return illegal(named(change, asked.place) + " is there already");
  }
  change.tell(event_kind::gate_opened, asked.place.superstep, asked.place.step, gate_opened_data(asked, expires_at));
  return done;
}

status open(run_change& change, const open_gate& told) { return open(change, told.gate); }

status decide(run_change& change, const decide_gate& told) {
  const auto gate = find_gate(change, told.place);
  if (!gate) {
    return gate.error();
  }
  if (auto is_open = must_be_open(change, told.place, *gate); !is_open) {
    return is_open;
  }
  if (auto may = may_decide(change, told, *gate); !may) {
    return may;
  }
  const auto before = count_votes(change, gate->id);
  const auto& decision = told.decision;
  const auto made = change.sql().run(
      "INSERT INTO gate_decisions (gate_id, decided_by, ordinal, decision, action_hash, comment, state_edit, "
      "decided_at)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      gate->id,
      decision.by,
      before.approvals + before.rejections + 1,
      to_string(decision.choice),
      gate->action_hash.empty() ? std::nullopt : std::optional{gate->action_hash},
      decision.comment.empty() ? std::nullopt : std::optional{decision.comment},
      decision.state_edit,
      decision.at);
  if (made == 0) {
    return too_late("'" + decision.by + "' has decided on " + named(change, told.place) + " already");
  }
  const auto votes = count_votes(change, gate->id);
  const auto state = judged(*gate, votes);
  if (state != gate_state::open) {
    close(change, *gate, state);
  }
  change.tell(event_kind::gate_decided,
              told.place.superstep,
              told.place.step,
              gate_decided_data(told.place, decision, state, {votes.approvals, gate->votes}));
  return done;
}

status expire(run_change& change, const expire_gate& told) {
  const auto gate = find_gate(change, told.place);
  if (!gate) {
    return gate.error();
  }
  if (auto is_open = must_be_open(change, told.place, *gate); !is_open) {
    return is_open;
  }
  const auto as = expired_as(gate->on_expiry);
  close(change, *gate, as);
  change.tell(event_kind::gate_decided,
              told.place.superstep,
              told.place.step,
              gate_expired_data(told.place, as, gate->on_expiry));
  return done;
}

status take(run_change& change, const gate_place& place) {
  const auto gate = find_gate(change, place);
  if (!gate) {
    return gate.error();
  }
  if (gate->state == gate_state::open || gate->state == gate_state::cancelled || gate->taken) {
    return illegal(named(change, place) + " has no decision to take");
  }
  change.sql().run("UPDATE gates SET taken_at = ?2 WHERE id = ?1", gate->id, change.open_superstep());
  return done;
}

void close_crash_gates(run_change& change) {
  change.sql().run(
      "UPDATE gates SET taken_at = superstep WHERE run_id = ?1 AND superstep = ?2 AND kind = 'crash' AND taken_at IS "
      "NULL"
      " AND state IN ('approved', 'rejected', 'expired')",
      change.run(),
      change.open_superstep());
  change.sql().run(
      "UPDATE gates SET state = 'cancelled', closed_at = ?3 WHERE run_id = ?1 AND superstep = ?2 AND kind = 'crash'"
      " AND state = 'open'",
      change.run(),
      change.open_superstep(),
      change.at());
}

void cancel_gates(run_change& change) {
  change.sql().run("UPDATE gates SET state = 'cancelled', closed_at = ?2 WHERE run_id = ?1 AND state = 'open'",
                   change.run(),
                   change.at());
}

bool has_live_gates(run_change& change) {
  auto found = change.sql().use(
      "SELECT 1 FROM gates WHERE run_id = ? AND taken_at IS NULL AND state <> 'cancelled' LIMIT 1", change.run());
  return found.step();
}

std::vector<gate_view> list_live_gates(statement_cache& sql, const run_id& run) {
  return gates_by(sql,
                  TROUPE_GATE_COLUMNS
                  " FROM gates AS g WHERE g.run_id = ? AND g.taken_at IS NULL AND g.state <> 'cancelled' ORDER BY g.id",
                  run);
}

std::vector<gate_view> list_gates(statement_cache& sql, const run_id& run) {
  return gates_by(sql, TROUPE_GATE_COLUMNS " FROM gates AS g WHERE g.run_id = ? ORDER BY g.id", run);
}

std::vector<pending_view> list_pending(statement_cache& sql) {
  std::vector<pending_view> pending;
  std::vector<std::int64_t> ids;
  {
    auto row = sql.use(TROUPE_GATE_COLUMNS
                       ", r.run_id, r.workflow, r.subject FROM gates AS g JOIN runs AS r USING (run_id)"
                       " WHERE g.state = 'open' AND r.state IN ('pending', 'running', 'paused') ORDER BY g.opened_at,"
                       " g.id");
    while (row.step()) {
      ids.push_back(row.number(0));
      pending.push_back({view_of(row, run_id{row.text(17)}), row.text(18), row.text(19)});
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    add_decisions(sql, ids[i], pending[i].gate);
  }
  return pending;
}

#undef TROUPE_GATE_COLUMNS

}  // namespace troupe
