-- What the page of jobs asks for: who took a pool's jobs lately, and how long jobs of a kind took in a project.

CREATE INDEX job_by_pool ON job (pool, started_at) WHERE pool IS NOT NULL;
CREATE INDEX job_succeeded ON job (kind, project_id, number DESC) WHERE state = 'succeeded';
