-- What metrics and traces are read from.

-- The trace of the request that wished it (a W3C `traceparent`); a job without one has its deployment's.
ALTER TABLE deployment ADD COLUMN trace text;
ALTER TABLE job ADD COLUMN trace text;

-- When the commit was made: lead times count from here. Unknown for releases from before.
ALTER TABLE release ADD COLUMN committed_at timestamptz;

-- A lost attempt stays counted as lost, whatever its agent says later: a counter never falls.
ALTER TABLE attempt ADD COLUMN lost_at timestamptz;
UPDATE attempt SET lost_at = ended_at WHERE ending = 'lost';

-- Totals are counted once up to a moment, and from there on with every look.
CREATE INDEX deployment_by_end ON deployment (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_by_end ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX attempt_by_grant ON attempt (granted_at);
CREATE INDEX attempt_by_loss ON attempt (lost_at) WHERE lost_at IS NOT NULL;
