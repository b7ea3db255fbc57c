-- What pages ask for in a fleet with hundreds of projects and a long past.

CREATE INDEX deployment_open ON deployment (target_id, number) WHERE ended_at IS NULL;
CREATE INDEX placement_by_confirmed ON placement (confirmed_release_id) WHERE retired_at IS NULL;
CREATE INDEX placement_in_trouble ON placement (host_id) WHERE retired_at IS NULL AND (problem IS NOT NULL OR drift IS NOT NULL);
CREATE INDEX job_running_by_placement ON job (placement_id) WHERE state = 'running';
