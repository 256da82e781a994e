-- The checks of enumerations as chains of OR. `x IN (...)` of more than two values builds a table in memory each time a
-- row is written, which was a fifth of the time of a commit. Nothing of what is stored or allowed changes, so that the
-- definitions are rewritten in place, as sqlite.org/lang_altertable.html says in section 7 for such changes.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql, '(kind IN (
    ''run.started'', ''run.paused'', ''run.resumed'', ''run.completed'', ''run.failed'', ''run.cancelled'', ''superstep.committed'',
    ''task.queued'', ''task.started'', ''task.retrying'', ''task.completed'', ''task.failed'', ''task.cancelled'',
    ''task.interrupted'', ''consensus.reached'', ''gate.opened'', ''gate.decided'', ''backpressure.on'', ''backpressure.off'',
    ''budget.warned'', ''cost.recorded'', ''checkpoint.saved'', ''config.reloaded''))', '(
    kind = ''task.started'' OR kind = ''task.completed'' OR kind = ''task.queued'' OR kind = ''superstep.committed'' OR
    kind = ''consensus.reached'' OR kind = ''task.failed'' OR kind = ''task.cancelled'' OR kind = ''task.interrupted'' OR
    kind = ''task.retrying'' OR kind = ''run.started'' OR kind = ''run.paused'' OR kind = ''run.resumed'' OR
    kind = ''run.completed'' OR kind = ''run.failed'' OR kind = ''run.cancelled'' OR kind = ''gate.opened'' OR
    kind = ''gate.decided'' OR kind = ''backpressure.on'' OR kind = ''backpressure.off'' OR kind = ''budget.warned'' OR
    kind = ''cost.recorded'' OR kind = ''checkpoint.saved'' OR kind = ''config.reloaded'')')
WHERE type = 'table' AND name = 'events';

UPDATE sqlite_schema SET sql = replace(sql, '(kind IN (''create_run'', ''start_attempt'', ''record_output'', ''finish_attempt'',
                                             ''commit_superstep'', ''end_run'', ''resume_run''))', '(
    kind = ''start_attempt'' OR kind = ''record_output'' OR kind = ''finish_attempt'' OR kind = ''commit_superstep'' OR
    kind = ''create_run'' OR kind = ''end_run'' OR kind = ''resume_run'')')
WHERE type = 'table' AND name = 'write_keys';

UPDATE sqlite_schema SET sql = replace(replace(sql, '(state IN (''pending'', ''queued'', ''running'', ''validating'', ''completed'', ''failed'',
                                               ''retrying'', ''cancelled'', ''interrupted''))', '(
    state = ''running'' OR state = ''validating'' OR state = ''completed'' OR state = ''queued'' OR state = ''failed'' OR
    state = ''cancelled'' OR state = ''interrupted'' OR state = ''retrying'' OR state = ''pending'')'),
  '(state IN (''completed'', ''failed'', ''cancelled''))', '(
    state = ''completed'' OR state = ''failed'' OR state = ''cancelled'')')
WHERE type = 'table' AND name = 'tasks';

UPDATE sqlite_schema SET sql = replace(sql, '(state IN (''running'', ''validating'', ''completed'', ''failed'', ''cancelled'',
                                                    ''interrupted''))', '(
    state = ''running'' OR state = ''validating'' OR state = ''completed'' OR state = ''failed'' OR
    state = ''cancelled'' OR state = ''interrupted'')')
WHERE type = 'table' AND name = 'attempts';

PRAGMA writable_schema = RESET;

-- Any change that SQLite itself makes tells the other connections to read the definitions anew.
CREATE INDEX definitions_changed ON lease (epoch);
DROP INDEX definitions_changed;
