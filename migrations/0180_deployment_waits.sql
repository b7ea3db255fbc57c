-- When a deployment waited for a person to decide, once that is over: its stages are compared without it, and it tells
-- nothing of how long such deployments take. One that waits still is told by deployment.paused.

CREATE TABLE deployment_wait (
    deployment_id uuid NOT NULL REFERENCES deployment (id),
    since         timestamptz NOT NULL,
    till          timestamptz NOT NULL CHECK (till >= since),
    PRIMARY KEY (deployment_id, since)
);
