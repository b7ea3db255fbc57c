-- Whether what a host last told of a placement may be outdated: its next beat is answered by "say hello". It stands on
-- the placement, not on the host, because whoever ends a job holds the job's lock, and agents' messages take the host's
-- before a job's.

ALTER TABLE placement ADD COLUMN in_doubt boolean NOT NULL DEFAULT false;
