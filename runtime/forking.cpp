#include "runtime/forking.hpp"

#include "actors/run/fork.hpp"
#include "runtime/os/system_clock.hpp"
#include "runtime/pinned_run.hpp"
#include "runtime/replaying.hpp"
#include "runtime/run_ids.hpp"
#include "runtime/short_ownership.hpp"
#include "storage/read_session.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

error out_of_range(const run_view& of, superstep_no at) {
  const auto first = of.forked_at.value_or(superstep_no{}).value();
  return {error_code::invalid_input,
          "run " + of.run.str() + " has no committed superstep " + std::to_string(at.value()),
          "it has those from " + std::to_string(first) + " to " + std::to_string(of.supersteps) +
              (of.forked_at && of.parent ? "; what was before is in run " + of.parent->str() : "")};
}

error nothing_follows(const run_view& of, superstep_no at) {
  return {error_code::invalid_input,
          "superstep " + std::to_string(at.value()) + " ended run " + of.run.str() + ": nothing follows it",
          "to carry it out again, fork at " + std::to_string(std::max<std::int64_t>(at.value() - 1, 0))};
}

// What is damaged must not be passed on.
status must_be_sound(const run_view& of, const recorded_superstep& row) {
  if (row.damage.empty()) {
    return done;
  }
  return error{error_code::storage_corrupt,
               "superstep " + std::to_string(row.row.superstep.value()) + " of run " + of.run.str() + ": " +
                   row.damage.front().message,
               "`troupe db check` tells more"};
}

void pass(std::vector<gate_view>& gates, const recorded_superstep& row, superstep_no at) {
  gates.insert(gates.end(), row.opened.begin(), row.opened.end());
  std::erase_if(gates, [&](const gate_view& gate) { return gate.taken_at && *gate.taken_at <= at; });
}

result<fork_point> find_point(read_session& stored, const run_view& of, superstep_no at) {
  const auto first = of.forked_at.value_or(superstep_no{});
  if (at < first || at.value() > of.supersteps) {
    return out_of_range(of, at);
  }
  fork_point point;
  bool has_next = false;
  journal_reader journal{stored, of.run, first};
  while (!has_next) {
    auto row = journal.next();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      break;
    }
    auto& recorded = **row;
    pass(point.gates, recorded, at);
    has_next = recorded.row.superstep > at;
    if (recorded.row.superstep >= at) {
      if (auto sound = must_be_sound(of, recorded); !sound) {
        return sound.error();
      }
      (has_next ? point.next : point.at) = std::move(recorded);
    }
  }
  if (!has_next || point.next.row.superstep.value() != at.value() + 1) {
    return nothing_follows(of, at);
  }
  return point;
}

result<create_run> rows_of_fork(const storage_options& storage, const fork_request& what) {
  auto stored = read_session::open(storage);
  if (!stored) {
    return stored.error();
  }
  const auto pinned = (*stored)->find_pinned(what.of);
  if (!pinned) {
    return pinned.error();
  }
  const auto material = read_pinned(pinned->run, pinned->workflow_source, pinned->config_source, {});
  if (!material) {
    return material.error();
  }
  const auto point = find_point(**stored, pinned->run, what.at);
  if (!point) {
    return point.error();
  }
  auto rows = fork_rows(*material->flow, pinned->run, *point, what.run);
  if (rows) {
    rows->workflow_hash = pinned->run.workflow_hash;
    rows->workflow_source = pinned->workflow_source;
    rows->config_hash = pinned->config_hash;
    rows->config_source = pinned->config_source;
  }
  return rows;
}

error is_taken(const run_id& run) {
  return {error_code::duplicate_id,
          "there is a run " + run.str() + " already; nothing was written",
          "choose another id with --run-id, or leave it out"};
}

// Created and paused in one transaction: nobody sees a run that nobody carries out.
status write(write_session& session, const create_run& rows) {
  return write_at_once(session, [&]() -> status {
    const auto created = session.apply(rows);
    if (!created || created->receipt.repeated) {
      const bool is_there = created || created.error().code == error_code::idempotency_violation;
      return is_there ? is_taken(rows.run) : created.error();
    }
    run_end pause;
    pause.state = run_state::paused;
    const auto paused = session.apply(end_run{rows.run, pause, created->receipt.last, rows.at});
    return paused ? status{done} : status{paused.error()};
  });
}

}  // namespace

result<run_id> fork_run(const storage_options& storage, const fork_request& what) {
  auto request = what;
  request.run = what.run.empty() ? make_run_id(system_clock{}.now()) : what.run;
  auto rows = rows_of_fork(storage, request);
  if (!rows) {
    return rows.error();
  }
  const auto own = own_shortly(storage);
  if (!own) {
    return own.error();
  }
  rows->at = own->since;
  const auto written = write(*own->session, *rows);
  return written ? result<run_id>{request.run} : result<run_id>{written.error()};
}

}  // namespace troupe
