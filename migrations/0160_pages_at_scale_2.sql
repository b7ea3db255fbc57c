-- More of what pages ask for in a large fleet: outcomes of each target without its whole rows, placements that are not as
-- was decided, of which there are few, and the newest jobs of a host.

CREATE INDEX deployment_ended ON deployment (target_id, number DESC) INCLUDE (release_id, outcome, started_at)
    WHERE ended_at IS NOT NULL;
CREATE INDEX placement_astray ON placement (target_id)
    WHERE retired_at IS NULL
      AND (problem IS NOT NULL OR drift IS NOT NULL
           OR health = 'unhealthy' AND confirmed_release_id IS NOT NULL
           OR desired_release_id IS NOT NULL AND confirmed_release_id IS DISTINCT FROM desired_release_id);
CREATE INDEX job_by_host ON job (COALESCE(host_id, worker_id), number DESC);
