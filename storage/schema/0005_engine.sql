-- What the engine needs beyond a line of steps: routes, joins, maps, gates, children, and what may be spent.

ALTER TABLE supersteps ADD COLUMN standing TEXT CHECK (standing IS NULL OR json_valid(standing));

ALTER TABLE tasks ADD COLUMN item INTEGER CHECK (item >= 0);
ALTER TABLE tasks ADD COLUMN order_key INTEGER;
ALTER TABLE tasks ADD COLUMN route TEXT CHECK (route IS NULL OR json_valid(route));

ALTER TABLE attempts ADD COLUMN request_hash TEXT;
ALTER TABLE attempts ADD COLUMN took_us INTEGER CHECK (took_us >= 0);

ALTER TABLE runs ADD COLUMN budget_microusd INTEGER CHECK (budget_microusd >= 0);
ALTER TABLE runs ADD COLUMN budget_tokens INTEGER CHECK (budget_tokens >= 0);
ALTER TABLE runs ADD COLUMN budget_time_us INTEGER CHECK (budget_time_us >= 0);
ALTER TABLE runs ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0 CHECK (unpriced >= 0);
ALTER TABLE runs ADD COLUMN attempt_time_us INTEGER NOT NULL DEFAULT 0 CHECK (attempt_time_us >= 0);

-- Nothing was ever written to these three. A request stands beside its attempt, its answer in attempt_output.
DROP TABLE recorded_io;
DROP TABLE gate_decisions;
DROP TABLE gates;

CREATE TABLE gates (
  id           INTEGER PRIMARY KEY,
  run_id       TEXT NOT NULL,
  superstep    INTEGER NOT NULL,
  step_id      TEXT NOT NULL,
  level        INTEGER NOT NULL CHECK (level >= 1),
  task_id      TEXT NOT NULL DEFAULT '',
  kind         TEXT NOT NULL CHECK (kind = 'step' OR kind = 'crash'),
  path         TEXT NOT NULL,
  prompt       TEXT NOT NULL,
  action_hash  TEXT,
  votes_needed INTEGER NOT NULL CHECK (votes_needed >= 1),
  voters       TEXT NOT NULL CHECK (json_valid(voters)),
  on_expiry    TEXT NOT NULL CHECK (on_expiry IN ('approve', 'reject', 'escalate', 'fail')),
  state        TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'expired', 'cancelled')),
  opened_at    INTEGER NOT NULL,
  expires_at   INTEGER,
  closed_at    INTEGER,
  taken_at     INTEGER,
  FOREIGN KEY (run_id, superstep) REFERENCES supersteps (run_id, superstep) ON DELETE CASCADE,
  UNIQUE (run_id, superstep, step_id, level, task_id),
  CHECK ((closed_at IS NULL) = (state = 'open')),
  CHECK ((task_id <> '') = (kind = 'crash')),
  CHECK (taken_at IS NULL OR state <> 'open')
) STRICT;
CREATE INDEX gates_open ON gates (opened_at) WHERE state = 'open';

CREATE TABLE gate_decisions (
  gate_id     INTEGER NOT NULL REFERENCES gates (id) ON DELETE CASCADE,
  decided_by  TEXT NOT NULL CHECK (decided_by <> ''),
  ordinal     INTEGER NOT NULL CHECK (ordinal >= 1),
  decision    TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')),
  action_hash TEXT,
  comment     TEXT,
  state_edit  TEXT CHECK (state_edit IS NULL OR json_valid(state_edit)),
  decided_at  INTEGER NOT NULL,
  PRIMARY KEY (gate_id, decided_by),
  UNIQUE (gate_id, ordinal)
) STRICT, WITHOUT ROWID;

-- What attempts under way may cost at most. A row goes when its attempt ends.
CREATE TABLE budget_reservations (
  task_id   TEXT NOT NULL,
  attempt   INTEGER NOT NULL CHECK (attempt >= 1),
  scope     TEXT NOT NULL CHECK (scope IN ('run', 'subject', 'day')),
  scope_key TEXT NOT NULL,
  unit      TEXT NOT NULL CHECK (unit IN ('microusd', 'tokens', 'microseconds')),
  amount    INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (task_id, attempt, scope, scope_key, unit),
  FOREIGN KEY (task_id) REFERENCES tasks (task_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- As in 0002: the definition is rewritten in place, because nothing that is stored changes.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql, 'kind = ''end_run'' OR kind = ''resume_run''', 'kind = ''end_run'' OR kind = ''resume_run'' OR
    kind = ''open_gate'' OR kind = ''decide_gate'' OR kind = ''expire_gate'' OR kind = ''reserve_budget''')
WHERE type = 'table' AND name = 'write_keys';

PRAGMA writable_schema = RESET;

CREATE INDEX definitions_changed ON lease (epoch);
DROP INDEX definitions_changed;
