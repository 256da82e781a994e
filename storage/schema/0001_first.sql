-- The first schema. Times are whole microseconds since 1970 (UTC) unless a name says otherwise; enumerations are stored
-- by name; JSON is canonical (messages/base/json_text.hpp). docs/schema.md tells what each table and column means, and a
-- test compares the two.

-- ---------------------------------------------------------------------------------------------------------------------
-- Runs

CREATE TABLE workflows (
  hash   TEXT NOT NULL PRIMARY KEY,
  name   TEXT NOT NULL,
  source TEXT NOT NULL
) STRICT;

CREATE TABLE configs (
  hash   TEXT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  id             INTEGER PRIMARY KEY,
  run_id         TEXT NOT NULL UNIQUE CHECK (run_id <> ''),
  workflow       TEXT NOT NULL,
  workflow_hash  TEXT NOT NULL REFERENCES workflows (hash),
  config_hash    TEXT NOT NULL REFERENCES configs (hash),
  subject        TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('pending', 'running', 'paused', 'completed', 'failed', 'cancelled')),
  degraded       INTEGER NOT NULL DEFAULT 0 CHECK (degraded IN (0, 1)),
  epoch          INTEGER NOT NULL CHECK (epoch >= 0),
  inputs         TEXT NOT NULL CHECK (json_valid(inputs)),
  supersteps     INTEGER NOT NULL DEFAULT 0 CHECK (supersteps >= 0),
  steps          INTEGER NOT NULL DEFAULT 0 CHECK (steps >= 0),
  state_hash     TEXT NOT NULL,
  last_seq       INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  deadline       INTEGER,
  input_tokens   INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
  output_tokens  INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
  cost_microusd  INTEGER NOT NULL DEFAULT 0 CHECK (cost_microusd >= 0),
  error_code     TEXT,
  error_message  TEXT,
  error_hint     TEXT,
  failed_step    TEXT,
  parent_run_id  TEXT REFERENCES runs (run_id) ON DELETE SET NULL,
  parent_task_id TEXT,
  forked_at      INTEGER,
  started_at     INTEGER NOT NULL,
  finished_at    INTEGER,
  CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled')))
) STRICT;
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_subject ON runs (subject, started_at);
CREATE INDEX runs_unfinished ON runs (started_at) WHERE state IN ('pending', 'running', 'paused');
CREATE INDEX runs_by_workflow ON runs (workflow_hash);
CREATE INDEX runs_by_config ON runs (config_hash);
CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;

-- Superstep 0 holds the initial state; the open superstep has no committed_at.
CREATE TABLE supersteps (
  run_id          TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  superstep       INTEGER NOT NULL CHECK (superstep >= 0),
  front           TEXT NOT NULL CHECK (json_valid(front)),
  deltas          TEXT CHECK (deltas IS NULL OR json_valid(deltas)),
  changes         TEXT CHECK (changes IS NULL OR json_valid(changes)),
  removed         TEXT CHECK (removed IS NULL OR json_valid(removed)),
  state           TEXT CHECK (state IS NULL OR json_valid(state)),
  changed_bytes   INTEGER NOT NULL DEFAULT 0 CHECK (changed_bytes >= 0),
  state_hash      TEXT,
  idempotency_key TEXT,
  opened_at       INTEGER NOT NULL,
  committed_at    INTEGER,
  PRIMARY KEY (run_id, superstep),
  CHECK (committed_at IS NULL OR state_hash IS NOT NULL),
  CHECK (committed_at IS NULL OR state IS NOT NULL OR changes IS NOT NULL)
) STRICT;

CREATE TABLE tasks (
  task_id       TEXT NOT NULL PRIMARY KEY,
  run_id        TEXT NOT NULL,
  superstep     INTEGER NOT NULL,
  step_id       TEXT NOT NULL,
  agent_name    TEXT NOT NULL,
  ordinal       INTEGER NOT NULL CHECK (ordinal >= 0),
  state         TEXT NOT NULL CHECK (state IN ('pending', 'queued', 'running', 'validating', 'completed', 'failed',
                                               'retrying', 'cancelled', 'interrupted')),
  attempt       INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  value         TEXT CHECK (value IS NULL OR json_valid(value)),
  found_by      TEXT,
  deltas        TEXT CHECK (deltas IS NULL OR json_valid(deltas)),
  error_code    TEXT,
  error_message TEXT,
  error_hint    TEXT,
  queued_at     INTEGER NOT NULL,
  finished_at   INTEGER,
  FOREIGN KEY (run_id, superstep) REFERENCES supersteps (run_id, superstep) ON DELETE CASCADE,
  UNIQUE (run_id, superstep, ordinal),
  CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled')))
) STRICT;

CREATE TABLE attempts (
  task_id            TEXT NOT NULL REFERENCES tasks (task_id) ON DELETE CASCADE,
  attempt            INTEGER NOT NULL CHECK (attempt >= 1),
  epoch              INTEGER NOT NULL CHECK (epoch >= 0),
  state              TEXT NOT NULL CHECK (state IN ('running', 'validating', 'completed', 'failed', 'cancelled',
                                                    'interrupted')),
  pid                INTEGER NOT NULL DEFAULT 0 CHECK (pid >= 0),
  pid_start_time     INTEGER NOT NULL DEFAULT 0,
  started_at         INTEGER,
  output_at          INTEGER,
  finished_at        INTEGER,
  exit_code          INTEGER,
  signal             INTEGER,
  cpu_us             INTEGER,
  resident_bytes_max INTEGER,
  tree_gone          INTEGER CHECK (tree_gone IN (0, 1)),
  error_code         TEXT,
  error_message      TEXT,
  error_hint         TEXT,
  error_class        TEXT CHECK (error_class IN ('retryable', 'permanent', 'degraded', 'unknown')),
  model              TEXT,
  input_tokens       INTEGER CHECK (input_tokens >= 0),
  output_tokens      INTEGER CHECK (output_tokens >= 0),
  PRIMARY KEY (task_id, attempt),
  CHECK ((finished_at IS NULL) = (state IN ('running', 'validating')))
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_open ON attempts (started_at) WHERE finished_at IS NULL;

-- ---------------------------------------------------------------------------------------------------------------------
-- What agents said

-- Content-addressed files beside the database: the row comes after the file.
CREATE TABLE blobs (
  hash       TEXT NOT NULL PRIMARY KEY,
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kept: bytes that are here or in the blob; printed: bytes in all.
CREATE TABLE attempt_output (
  task_id        TEXT NOT NULL,
  attempt        INTEGER NOT NULL,
  stdout         BLOB,
  stdout_hash    TEXT REFERENCES blobs (hash),
  stdout_kept    INTEGER NOT NULL CHECK (stdout_kept >= 0),
  stdout_printed INTEGER NOT NULL CHECK (stdout_printed >= stdout_kept),
  stderr         BLOB,
  stderr_hash    TEXT REFERENCES blobs (hash),
  stderr_kept    INTEGER NOT NULL CHECK (stderr_kept >= 0),
  stderr_printed INTEGER NOT NULL CHECK (stderr_printed >= stderr_kept),
  recorded_at    INTEGER NOT NULL,
  PRIMARY KEY (task_id, attempt),
  FOREIGN KEY (task_id, attempt) REFERENCES attempts (task_id, attempt) ON DELETE CASCADE,
  CHECK ((stdout IS NULL) <> (stdout_hash IS NULL)),
  CHECK ((stderr IS NULL) <> (stderr_hash IS NULL)),
  CHECK (stdout IS NULL OR length(stdout) = stdout_kept),
  CHECK (stderr IS NULL OR length(stderr) = stderr_kept)
) STRICT;
CREATE INDEX attempt_output_by_stdout ON attempt_output (stdout_hash) WHERE stdout_hash IS NOT NULL;
CREATE INDEX attempt_output_by_stderr ON attempt_output (stderr_hash) WHERE stderr_hash IS NOT NULL;

CREATE TABLE recorded_io (
  task_id      TEXT NOT NULL,
  attempt      INTEGER NOT NULL,
  ordinal      INTEGER NOT NULL CHECK (ordinal >= 0),
  kind         TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  request      BLOB,
  response     BLOB,
  recorded_at  INTEGER NOT NULL,
  PRIMARY KEY (task_id, attempt, ordinal),
  FOREIGN KEY (task_id, attempt) REFERENCES attempts (task_id, attempt) ON DELETE CASCADE
) STRICT;

-- The tables of the original design, by their names and columns. run_id is a consensus, not a run.
CREATE TABLE consensus_runs (
  id             INTEGER PRIMARY KEY,
  spec_id        TEXT NOT NULL,
  stage          TEXT NOT NULL,
  run_timestamp  INTEGER NOT NULL,
  consensus_ok   INTEGER NOT NULL CHECK (consensus_ok IN (0, 1)),
  degraded       INTEGER NOT NULL CHECK (degraded IN (0, 1)),
  synthesis_json TEXT CHECK (synthesis_json IS NULL OR json_valid(synthesis_json)),
  UNIQUE (spec_id, stage, run_timestamp)
) STRICT;
CREATE INDEX consensus_runs_by_spec_stage ON consensus_runs (spec_id, stage);
CREATE INDEX consensus_runs_by_timestamp ON consensus_runs (run_timestamp);

CREATE TABLE agent_outputs (
  id               INTEGER PRIMARY KEY,
  run_id           INTEGER NOT NULL REFERENCES consensus_runs (id) ON DELETE CASCADE,
  agent_name       TEXT NOT NULL,
  model_version    TEXT,
  content          TEXT NOT NULL,
  output_timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_outputs_by_run ON agent_outputs (run_id);
CREATE INDEX agent_outputs_by_agent ON agent_outputs (agent_name);

-- Ties a consensus to its superstep.
CREATE TABLE consensus_verdicts (
  consensus_id INTEGER PRIMARY KEY REFERENCES consensus_runs (id) ON DELETE CASCADE,
  run_id       TEXT NOT NULL,
  superstep    INTEGER NOT NULL,
  step_id      TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('ok', 'degraded', 'conflict', 'insufficient')),
  verdict      TEXT NOT NULL CHECK (json_valid(verdict)),
  FOREIGN KEY (run_id, superstep) REFERENCES supersteps (run_id, superstep) ON DELETE CASCADE
) STRICT;
CREATE INDEX consensus_verdicts_by_superstep ON consensus_verdicts (run_id, superstep);

-- ---------------------------------------------------------------------------------------------------------------------
-- Events and keys

CREATE TABLE events (
  run_id     TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  seq        INTEGER NOT NULL CHECK (seq >= 1),
  time       INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN (
    'run.started', 'run.paused', 'run.resumed', 'run.completed', 'run.failed', 'run.cancelled', 'superstep.committed',
    'task.queued', 'task.started', 'task.retrying', 'task.completed', 'task.failed', 'task.cancelled',
    'task.interrupted', 'consensus.reached', 'gate.opened', 'gate.decided', 'backpressure.on', 'backpressure.off',
    'budget.warned', 'cost.recorded', 'checkpoint.saved', 'config.reloaded')),
  step_id    TEXT,
  superstep  INTEGER,
  task_id    TEXT,
  attempt    INTEGER,
  agent_name TEXT,
  data       TEXT NOT NULL CHECK (json_valid(data)),
  published  INTEGER NOT NULL DEFAULT 0 CHECK (published IN (0, 1)),
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

-- One row per command that was committed. Deferred, because the key of create_run is claimed before the run is there.
CREATE TABLE write_keys (
  run_id       TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  task_id      TEXT NOT NULL,
  attempt      INTEGER NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('create_run', 'start_attempt', 'record_output', 'finish_attempt',
                                             'commit_superstep', 'end_run', 'resume_run')),
  content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
  last_seq     INTEGER NOT NULL,
  PRIMARY KEY (run_id, task_id, attempt, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  pid   INTEGER NOT NULL,
  host  TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------
-- Gates and timers

CREATE TABLE gates (
  id           INTEGER PRIMARY KEY,
  run_id       TEXT NOT NULL,
  superstep    INTEGER NOT NULL,
  step_id      TEXT NOT NULL,
  level        INTEGER NOT NULL DEFAULT 1 CHECK (level >= 1),
  prompt       TEXT NOT NULL,
  action_hash  TEXT,
  votes_needed INTEGER NOT NULL DEFAULT 1 CHECK (votes_needed >= 1),
  on_expiry    TEXT CHECK (on_expiry IN ('approve', 'reject', 'escalate', 'fail')),
  state        TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'expired', 'cancelled')),
  opened_at    INTEGER NOT NULL,
  expires_at   INTEGER,
  closed_at    INTEGER,
  FOREIGN KEY (run_id, superstep) REFERENCES supersteps (run_id, superstep) ON DELETE CASCADE,
  UNIQUE (run_id, superstep, step_id, level),
  CHECK ((closed_at IS NULL) = (state = 'open'))
) STRICT;
CREATE INDEX gates_open ON gates (opened_at) WHERE state = 'open';

CREATE TABLE gate_decisions (
  gate_id     INTEGER NOT NULL REFERENCES gates (id) ON DELETE CASCADE,
  decided_by  TEXT NOT NULL,
  decision    TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')),
  action_hash TEXT,
  comment     TEXT,
  state_edit  TEXT CHECK (state_edit IS NULL OR json_valid(state_edit)),
  decided_at  INTEGER NOT NULL,
  PRIMARY KEY (gate_id, decided_by)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
  id       INTEGER PRIMARY KEY,
  run_id   TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  task_id  TEXT REFERENCES tasks (task_id) ON DELETE CASCADE,
  gate_id  INTEGER REFERENCES gates (id) ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('retry', 'gate', 'quota', 'deadline')),
  attempt  INTEGER,
  due_at   INTEGER NOT NULL,
  reason   TEXT,
  state    TEXT NOT NULL CHECK (state IN ('waiting', 'fired', 'cancelled')),
  set_at   INTEGER NOT NULL,
  ended_at INTEGER,
  CHECK ((ended_at IS NULL) = (state = 'waiting'))
) STRICT;
CREATE INDEX timers_waiting ON timers (due_at) WHERE state = 'waiting';
CREATE INDEX timers_by_run ON timers (run_id);
CREATE INDEX timers_by_task ON timers (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX timers_by_gate ON timers (gate_id) WHERE gate_id IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------------------------
-- Cost

CREATE TABLE costs (
  task_id       TEXT NOT NULL,
  attempt       INTEGER NOT NULL,
  model         TEXT NOT NULL,
  input_tokens  INTEGER NOT NULL CHECK (input_tokens >= 0),
  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
  cost_microusd INTEGER CHECK (cost_microusd >= 0),
  source        TEXT NOT NULL CHECK (source IN ('reported', 'estimated', 'unknown')),
  recorded_at   INTEGER NOT NULL,
  PRIMARY KEY (task_id, attempt, model),
  FOREIGN KEY (task_id, attempt) REFERENCES attempts (task_id, attempt) ON DELETE CASCADE,
  CHECK ((cost_microusd IS NULL) = (source = 'unknown'))
) STRICT, WITHOUT ROWID;
CREATE INDEX costs_by_time ON costs (recorded_at);

-- scope_key: a run id, a subject, or a day as 2026-11-21. Amounts are micro-dollars, tokens or microseconds, by unit.
CREATE TABLE budgets (
  scope      TEXT NOT NULL CHECK (scope IN ('run', 'subject', 'day')),
  scope_key  TEXT NOT NULL,
  unit       TEXT NOT NULL CHECK (unit IN ('microusd', 'tokens', 'microseconds')),
  ceiling    INTEGER NOT NULL CHECK (ceiling >= 0),
  reserved   INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  spent      INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
  warned     INTEGER NOT NULL DEFAULT 0 CHECK (warned BETWEEN 0 AND 100),
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (scope, scope_key, unit)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------
-- Evidence and maintenance

CREATE TABLE archives (
  id          INTEGER PRIMARY KEY,
  subject     TEXT NOT NULL,
  path        TEXT NOT NULL UNIQUE,
  hash        TEXT NOT NULL,
  bytes       INTEGER NOT NULL CHECK (bytes >= 0),
  manifest    TEXT NOT NULL CHECK (json_valid(manifest)),
  created_at  INTEGER NOT NULL,
  verified_at INTEGER,
  restored_at INTEGER,
  purged_at   INTEGER
) STRICT;
CREATE INDEX archives_by_subject ON archives (subject);

CREATE TABLE evidence (
  id         INTEGER PRIMARY KEY,
  run_id     TEXT REFERENCES runs (run_id) ON DELETE SET NULL,
  subject    TEXT NOT NULL,
  path       TEXT NOT NULL UNIQUE,
  hash       TEXT NOT NULL,
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  created_at INTEGER NOT NULL,
  touched_at INTEGER NOT NULL,
  archive_id INTEGER REFERENCES archives (id),
  removed_at INTEGER,
  CHECK (removed_at IS NULL OR archive_id IS NOT NULL)
) STRICT;
CREATE INDEX evidence_by_subject ON evidence (subject, touched_at);
CREATE INDEX evidence_by_run ON evidence (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX evidence_by_archive ON evidence (archive_id) WHERE archive_id IS NOT NULL;

CREATE TABLE maintenance (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL CHECK (kind IN ('vacuum', 'cleanup', 'import')),
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  succeeded   INTEGER CHECK (succeeded IN (0, 1)),
  summary     TEXT CHECK (summary IS NULL OR json_valid(summary))
) STRICT;
CREATE INDEX maintenance_by_kind ON maintenance (kind, started_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- For readers: stable. Times are RFC 3339 in UTC with microseconds.

CREATE VIEW run_overview (run, workflow, subject, state, degraded, supersteps, cost_usd, error_code, started_at,
                          finished_at) AS
SELECT run_id, workflow, subject, state, degraded, supersteps, cost_microusd / 1e6, error_code,
       strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000000, 'unixepoch') || printf('.%06dZ', started_at % 1000000),
       strftime('%Y-%m-%dT%H:%M:%S', finished_at / 1000000, 'unixepoch') || printf('.%06dZ', finished_at % 1000000)
FROM runs;

CREATE VIEW task_overview (run, superstep, step, agent, attempt, state, error_code, exit_code, signal, started_at,
                           finished_at) AS
SELECT t.run_id, t.superstep, t.step_id, t.agent_name, t.attempt, t.state, t.error_code, a.exit_code, a.signal,
       strftime('%Y-%m-%dT%H:%M:%S', a.started_at / 1000000, 'unixepoch') || printf('.%06dZ', a.started_at % 1000000),
       strftime('%Y-%m-%dT%H:%M:%S', t.finished_at / 1000000, 'unixepoch') || printf('.%06dZ', t.finished_at % 1000000)
FROM tasks AS t LEFT JOIN attempts AS a ON a.task_id = t.task_id AND a.attempt = t.attempt;

CREATE VIEW event_log (run, seq, time, kind, step, agent, attempt, data) AS
SELECT run_id, seq,
       strftime('%Y-%m-%dT%H:%M:%S', time / 1000000, 'unixepoch') || printf('.%06dZ', time % 1000000),
       kind, step_id, agent_name, attempt, data
FROM events;
