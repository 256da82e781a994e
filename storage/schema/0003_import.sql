-- What was taken over from databases of the older system (docs/import.md), so that no row is taken twice.

CREATE TABLE import_sources (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL,
  imported_at INTEGER NOT NULL
) STRICT;

-- One row for each row that was read there and is here. The key begins with what a file is recognised by: its rows.
CREATE TABLE imported_rows (
  table_name      TEXT NOT NULL CHECK (table_name IN ('consensus_artifacts', 'consensus_synthesis',
                                                      'agent_executions')),
  row_key         TEXT NOT NULL,
  source_id       INTEGER NOT NULL REFERENCES import_sources (id),
  content_hash    BLOB NOT NULL CHECK (length(content_hash) = 32),
  consensus_id    INTEGER NOT NULL REFERENCES consensus_runs (id) ON DELETE CASCADE,
  agent_output_id INTEGER REFERENCES agent_outputs (id) ON DELETE CASCADE,
  rest            TEXT CHECK (rest IS NULL OR json_valid(rest)),
  imported_at     INTEGER NOT NULL,
  PRIMARY KEY (table_name, row_key, source_id),
  CHECK ((rest IS NULL) = (table_name = 'consensus_synthesis'))
) STRICT;
CREATE INDEX imported_rows_by_consensus ON imported_rows (consensus_id);
CREATE INDEX imported_rows_by_output ON imported_rows (agent_output_id) WHERE agent_output_id IS NOT NULL;
