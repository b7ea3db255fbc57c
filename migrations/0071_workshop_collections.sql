-- Collections of what builds left behind: on a builder, of no target and no placement.

ALTER TABLE job DROP CONSTRAINT job_check5;
ALTER TABLE job ADD CONSTRAINT job_works_somewhere
    CHECK (kind = 'build' OR placement_id IS NOT NULL
           OR (kind = 'collect_garbage' AND host_id IS NOT NULL AND target_id IS NULL)) NOT VALID;

-- One at a time on a builder, and the newest is what people are shown.
CREATE UNIQUE INDEX job_one_open_workshop_collection ON job (host_id)
    WHERE kind = 'collect_garbage' AND placement_id IS NULL AND ended_at IS NULL;
CREATE INDEX job_workshop_collections ON job (host_id, number DESC)
    WHERE kind = 'collect_garbage' AND placement_id IS NULL;
