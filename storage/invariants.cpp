#include "storage/invariants.hpp"

#include <array>

namespace troupe {
namespace {

constexpr std::array all{
    stored_invariant{"final_event",
                     "A run is in a final state exactly when it has the event of that state, and that is its last one.",
                     R"sql(
SELECT 'run ' || r.run_id || ' is ' || r.state || ', but its last event is ' || coalesce(e.kind, 'missing')
FROM runs AS r LEFT JOIN events AS e
  ON e.run_id = r.run_id AND e.seq = (SELECT max(seq) FROM events WHERE run_id = r.run_id)
WHERE r.state IN ('completed', 'failed', 'cancelled') AND e.kind IS NOT 'run.' || r.state
UNION ALL
SELECT 'run ' || e.run_id || ' has the event ' || e.kind || ' at ' || e.seq || ', but is ' || r.state ||
       CASE WHEN e.seq < r.last_seq THEN ' and goes on to ' || r.last_seq ELSE '' END
FROM events AS e JOIN runs AS r USING (run_id)
WHERE e.kind IN ('run.completed', 'run.failed', 'run.cancelled') AND (e.kind <> 'run.' || r.state OR e.seq < r.last_seq)
)sql"},
    stored_invariant{"event_seq",
                     "The events of a run are numbered from 1 to runs.last_seq without gaps.",
                     R"sql(
SELECT 'run ' || r.run_id || ' counts ' || r.last_seq || ' events, but has ' || count(e.seq) || ', from ' ||
       coalesce(min(e.seq), 0) || ' to ' || coalesce(max(e.seq), 0)
FROM runs AS r LEFT JOIN events AS e USING (run_id)
GROUP BY r.run_id
HAVING count(e.seq) <> r.last_seq OR coalesce(max(e.seq), 0) <> r.last_seq OR coalesce(min(e.seq), 1) <> 1
)sql"},
    stored_invariant{"task_final_event",
                     "A final task has exactly one final event, of its state; any other task has none.",
                     R"sql(
SELECT 'task ' || t.task_id || ' is ' || t.state || ', with ' || count(e.seq) || ' final events' ||
       CASE WHEN count(e.seq) > 0 THEN ': ' || group_concat(e.kind, ', ') ELSE '' END
FROM tasks AS t LEFT JOIN events AS e
  ON e.run_id = t.run_id AND e.task_id = t.task_id AND e.kind IN ('task.completed', 'task.failed', 'task.cancelled')
GROUP BY t.task_id
HAVING count(e.seq) <> (t.state IN ('completed', 'failed', 'cancelled')) OR (count(e.seq) = 1 AND e.kind <> 'task.' || t.state)
)sql"},
    stored_invariant{"task_of_final_run",
                     "A run that has ended has no task that has not.",
                     R"sql(
SELECT 'run ' || r.run_id || ' is ' || r.state || ', but its task ' || t.task_id || ' is ' || t.state
FROM runs AS r JOIN tasks AS t USING (run_id)
WHERE r.state IN ('completed', 'failed', 'cancelled') AND t.state NOT IN ('completed', 'failed', 'cancelled')
)sql"},
    stored_invariant{"running_epoch",
                     "A task that runs was started by the owner that its run has now; no run is ahead of the lease.",
                     R"sql(
SELECT 'task ' || t.task_id || ' is ' || t.state || ' under epoch ' || a.epoch || ', its run is at epoch ' || r.epoch
FROM tasks AS t JOIN attempts AS a ON a.task_id = t.task_id AND a.attempt = t.attempt JOIN runs AS r USING (run_id)
WHERE t.state IN ('running', 'validating') AND a.epoch < r.epoch
UNION ALL
SELECT 'run ' || run_id || ' is at epoch ' || epoch || ', the lease at ' || (SELECT epoch FROM lease)
FROM runs WHERE epoch > (SELECT epoch FROM lease)
)sql"},
    stored_invariant{
        "attempts",
        "A task's attempts are numbered from 1 to tasks.attempt without gaps, and only the latest may be open: "
        "in the state of its task.",
        R"sql(
SELECT 'task ' || t.task_id || ' is at attempt ' || t.attempt || ', but has ' || count(a.attempt) || ' attempts'
FROM tasks AS t LEFT JOIN attempts AS a USING (task_id)
GROUP BY t.task_id
HAVING count(a.attempt) <> t.attempt OR coalesce(max(a.attempt), 0) <> t.attempt
UNION ALL
SELECT 'attempt ' || a.attempt || ' of task ' || t.task_id || ' is ' || a.state || ', but the task is ' || t.state ||
       ' at attempt ' || t.attempt
FROM attempts AS a JOIN tasks AS t USING (task_id)
WHERE a.finished_at IS NULL AND (a.attempt <> t.attempt OR a.state <> t.state)
UNION ALL
SELECT 'task ' || t.task_id || ' is ' || t.state || ', but its attempt ' || t.attempt || ' has ended'
FROM tasks AS t JOIN attempts AS a ON a.task_id = t.task_id AND a.attempt = t.attempt
WHERE t.state IN ('running', 'validating') AND a.finished_at IS NOT NULL
)sql"},
    stored_invariant{
        "supersteps",
        "A run's supersteps are numbered from 0, or from runs.forked_at, without gaps, all up to runs.supersteps are "
        "committed, and "
        "at most the next one is open.",
        R"sql(
SELECT 'run ' || r.run_id || ' counts ' || r.supersteps || ' supersteps, but has ' ||
       count(s.committed_at) || ' committed and ' || (count(s.superstep) - count(s.committed_at)) || ' open'
FROM runs AS r LEFT JOIN supersteps AS s USING (run_id)
GROUP BY r.run_id
HAVING count(s.committed_at) <> r.supersteps - coalesce(r.forked_at, 0) + 1
    OR coalesce(min(s.superstep), -1) <> coalesce(r.forked_at, 0)
    OR coalesce(max(CASE WHEN s.committed_at IS NOT NULL THEN s.superstep END), -1) <> r.supersteps
    OR max(s.superstep) > r.supersteps + 1
)sql"},
    stored_invariant{"superstep_tasks",
                     "A committed superstep has no task that is not final.",
                     R"sql(
SELECT 'superstep ' || s.superstep || ' of run ' || s.run_id || ' is committed, but its task ' || t.task_id || ' is ' ||
       t.state
FROM supersteps AS s JOIN tasks AS t USING (run_id, superstep)
WHERE s.committed_at IS NOT NULL AND t.state NOT IN ('completed', 'failed', 'cancelled')
)sql"},
    stored_invariant{
        "consensus",
        "A verdict and its consensus_runs row say the same: status, degraded, and one output for each agent "
        "that answered.",
        R"sql(
SELECT 'consensus ' || c.id || ' (' || c.spec_id || ', ' || c.stage || '): ' ||
       CASE WHEN c.consensus_ok <> (v.status IN ('ok', 'degraded'))
            THEN 'consensus_ok is ' || c.consensus_ok || ', the verdict is ' || v.status
            WHEN c.degraded <> (v.verdict ->> '$.degraded')
            THEN 'degraded is ' || c.degraded || ', the verdict says ' || (v.verdict ->> '$.degraded')
            ELSE (SELECT count(*) FROM agent_outputs WHERE run_id = c.id) || ' outputs, the verdict counts ' ||
                 json_array_length(v.verdict, '$.answered') || ' answers' END
FROM consensus_runs AS c JOIN consensus_verdicts AS v ON v.consensus_id = c.id
WHERE c.consensus_ok <> (v.status IN ('ok', 'degraded')) OR c.degraded <> (v.verdict ->> '$.degraded')
   OR (SELECT count(*) FROM agent_outputs WHERE run_id = c.id) <> json_array_length(v.verdict, '$.answered')
)sql"},
    stored_invariant{"blob_bytes",
                     "An output that is in a file counts the bytes that the file is to have.",
                     R"sql(
SELECT 'output of attempt ' || o.attempt || ' of task ' || o.task_id || ' counts ' ||
       CASE WHEN o.stdout_hash = b.hash THEN o.stdout_kept ELSE o.stderr_kept END || ' bytes, its file ' || b.bytes
FROM attempt_output AS o JOIN blobs AS b
  ON (o.stdout_hash = b.hash AND o.stdout_kept <> b.bytes) OR (o.stderr_hash = b.hash AND o.stderr_kept <> b.bytes)
)sql"},
    stored_invariant{"timers",
                     "Who waits for a time waits: a task that retries, a run that is paused.",
                     R"sql(
SELECT 'timer ' || m.id || ' waits to try task ' || t.task_id || ' again, which is ' || t.state
FROM timers AS m JOIN tasks AS t USING (task_id)
WHERE m.state = 'waiting' AND m.kind = 'retry' AND t.state <> 'retrying'
UNION ALL
SELECT 'timer ' || m.id || ' waits to go on with run ' || r.run_id || ', which is ' || r.state
FROM timers AS m JOIN runs AS r USING (run_id)
WHERE m.state = 'waiting' AND m.kind = 'quota' AND r.state <> 'paused'
UNION ALL
SELECT 'timer ' || min(id) || ' is one of ' || count(*) || ' that wait for ' || coalesce(task_id, run_id)
FROM timers WHERE state = 'waiting' GROUP BY kind, run_id, task_id, gate_id HAVING count(*) > 1
)sql"},
    stored_invariant{
        "gates",
        "An open gate waits: its run has not ended, nor the superstep of its task. It has a vote too few to be "
        "decided, a "
        "decided one has enough, and its decision is taken by a committed superstep that is not older than the gate.",
        R"sql(
SELECT 'gate ' || g.id || ' (' || g.step_id || ') is open, but its run ' || g.run_id || ' is ' || r.state
FROM gates AS g JOIN runs AS r USING (run_id)
WHERE g.state = 'open' AND r.state IN ('completed', 'failed', 'cancelled')
UNION ALL
SELECT 'gate ' || g.id || ' (' || g.step_id || ') of task ' || g.task_id || ' is open, but superstep ' || g.superstep ||
       ' is committed'
FROM gates AS g JOIN supersteps AS s USING (run_id, superstep)
WHERE g.state = 'open' AND g.kind = 'crash' AND s.committed_at IS NOT NULL
UNION ALL
SELECT 'gate ' || id || ' (' || step_id || ') is ' || state || ', with ' || approvals || ' of ' || votes_needed || ' votes'
FROM (SELECT g.*, (SELECT count(*) FROM gate_decisions AS d WHERE d.gate_id = g.id AND d.decision = 'approved') AS approvals
      FROM gates AS g)
WHERE (state = 'open' AND approvals >= votes_needed)
   OR (state = 'approved' AND approvals < votes_needed AND on_expiry <> 'approve')
UNION ALL
SELECT 'gate ' || g.id || ' (' || g.step_id || ') of superstep ' || g.superstep || ' was taken by superstep ' || g.taken_at ||
       ', but run ' || g.run_id || ' has committed ' || r.supersteps
FROM gates AS g JOIN runs AS r USING (run_id)
WHERE g.taken_at IS NOT NULL AND (g.taken_at < g.superstep OR g.taken_at > r.supersteps)
UNION ALL
SELECT 'timer ' || m.id || ' waits for gate ' || g.id || ', which is ' || g.state
FROM timers AS m JOIN gates AS g ON g.id = m.gate_id
WHERE m.state = 'waiting' AND m.kind = 'gate' AND g.state <> 'open'
)sql"},
    stored_invariant{"keys",
                     "No key was settled beyond the events of its run.",
                     R"sql(
SELECT k.kind || ' of run ' || k.run_id || ' was answered with event ' || k.last_seq || ', the run has ' || r.last_seq
FROM write_keys AS k JOIN runs AS r USING (run_id)
WHERE k.last_seq > r.last_seq OR k.last_seq < 1
)sql"},
    stored_invariant{"budgets",
                     "What a budget has reserved is what attempts of unfinished runs hold.",
                     R"sql(
SELECT 'budget of ' || b.scope || ' ' || b.scope_key || ' has ' || b.reserved || ' ' || b.unit ||
       ' reserved, its attempts hold ' || coalesce(sum(h.amount), 0)
FROM budgets AS b LEFT JOIN budget_reservations AS h
  ON h.scope = b.scope AND h.scope_key = b.scope_key AND h.unit = b.unit
GROUP BY b.scope, b.scope_key, b.unit HAVING b.reserved <> coalesce(sum(h.amount), 0)
UNION ALL
SELECT 'attempt ' || h.attempt || ' of task ' || h.task_id || ' holds ' || h.amount || ' ' || h.unit || ', its run is ' ||
       r.state
FROM budget_reservations AS h JOIN tasks AS t USING (task_id) JOIN runs AS r USING (run_id)
WHERE r.state IN ('completed', 'failed', 'cancelled')
)sql"},
    stored_invariant{"import",
                     "An imported row and the output that it stands for belong to one consensus.",
                     R"sql(
SELECT 'row ' || i.row_key || ' of ' || i.table_name || ' belongs to consensus ' || i.consensus_id ||
       ', but its output to ' || o.run_id
FROM imported_rows AS i JOIN agent_outputs AS o ON o.id = i.agent_output_id
WHERE o.run_id <> i.consensus_id
)sql"},
};

}  // namespace

std::span<const stored_invariant> stored_invariants() noexcept { return all; }

}  // namespace troupe
