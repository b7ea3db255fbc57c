-- Wishes and the jobs that fulfil them.

CREATE TABLE deployment (
    id              uuid PRIMARY KEY,
    number          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    target_id       uuid NOT NULL REFERENCES target (id),
    release_id      uuid NOT NULL REFERENCES release (id),
    kind            text NOT NULL CHECK (kind IN ('deploy', 'rollback')),
    requested_by    uuid NOT NULL REFERENCES principal (id),
    requested_at    timestamptz NOT NULL,
    reason          text,
    strategy        jsonb NOT NULL,                             -- frozen
    set_id          uuid,                                       -- a deployment may belong to a set
    -- decisions, stored and never derived
    held_until      timestamptz,
    scheduled_for   timestamptz,
    started_at      timestamptz,
    from_release_id uuid REFERENCES release (id),               -- the good release live at its start
    paused          jsonb,                                      -- {why, message, at, by}
    failures_forgiven integer NOT NULL DEFAULT 0,               -- failures accepted by a `continue` decision
    rollback        jsonb,                                      -- {to, by, at, reason, tries}
    cancel          jsonb,                                      -- {by, at, reason}
    superseded_by   uuid REFERENCES deployment (id) DEFERRABLE INITIALLY DEFERRED,  -- written before it exists
    -- the outcome, written once
    outcome         text CHECK (outcome IN ('live', 'failed', 'cancelled', 'rolled_back', 'superseded', 'abandoned')),
    outcome_detail  text,
    ended_at        timestamptz,
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (outcome IS DISTINCT FROM 'superseded' OR superseded_by IS NOT NULL)
);
CREATE UNIQUE INDEX deployment_one_open ON deployment (target_id) WHERE started_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX deployment_one_waiting ON deployment (target_id)
    WHERE started_at IS NULL AND ended_at IS NULL AND scheduled_for IS NULL;
CREATE INDEX deployment_by_target ON deployment (target_id, number DESC);

-- The hosts a deployment froze at its start, by wave.
CREATE TABLE deployment_host (
    deployment_id uuid NOT NULL REFERENCES deployment (id),
    placement_id  uuid NOT NULL REFERENCES placement (id),
    host_id       text NOT NULL REFERENCES host (id),
    wave          integer NOT NULL CHECK (wave > 0),
    deferred      text,                                         -- why it is not waited for
    skipped       jsonb,                                        -- {by, at, reason}
    PRIMARY KEY (deployment_id, placement_id)
);

-- What a deployment does, in order; a fixed sequence in code would be hard to extend.
CREATE TABLE deployment_step (
    deployment_id uuid NOT NULL REFERENCES deployment (id),
    ordinal       integer NOT NULL,
    kind          text NOT NULL,                                -- build, install, migrate_pre, switch
    scope         text NOT NULL,                                -- release, hosts, target
    requires      integer[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (deployment_id, ordinal)
);

CREATE TABLE log_stream (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('job', 'process', 'agent')),
    host_id      text REFERENCES host (id),
    created_at   timestamptz NOT NULL
);

CREATE TABLE job (
    id               uuid PRIMARY KEY,
    number           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind             text NOT NULL CHECK (kind IN ('build', 'install', 'activate', 'rollback', 'migrate', 'collect_garbage')),
    state            text NOT NULL CHECK (state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate',
                                                    'succeeded', 'failed', 'cancelled', 'superseded', 'abandoned')),
    purpose          text NOT NULL CHECK (purpose IN ('deploy', 'undo', 'converge', 'release', 'collect')),
    project_id       uuid NOT NULL REFERENCES project (id),
    release_id       uuid REFERENCES release (id),
    target_id        uuid REFERENCES target (id),
    placement_id     uuid REFERENCES placement (id),
    deployment_id    uuid REFERENCES deployment (id),
    host_id          text REFERENCES host (id),                 -- the audience, when it is one host
    pool             text,                                      -- the audience, when it is a pool
    generation       bigint,
    body             text NOT NULL,                             -- canonical bytes, frozen
    body_digest      bytea NOT NULL CHECK (octet_length(body_digest) = 32),
    log_stream_id    uuid NOT NULL REFERENCES log_stream (id),
    epoch            integer NOT NULL DEFAULT 0,
    max_epochs       integer NOT NULL DEFAULT 3 CHECK (max_epochs > 0),
    offered_at       timestamptz,                               -- the newest offer
    offer_expires_at timestamptz,
    waiting_since    timestamptz,                               -- start deadline counts from here while nobody fits
    lease_until      timestamptz,
    instance_id      uuid,                                      -- of the running epoch
    worker_id        text REFERENCES host (id),                 -- host of the running or last epoch
    cancel_requested jsonb,                                     -- {by, at, reason}
    outcome          jsonb,                                     -- shared::outcome::Outcome of the final epoch
    reason           text,                                      -- why it waits, failed or ended, for people
    code             text,                                      -- stable code of a failure
    late_result      boolean NOT NULL DEFAULT false,
    declined         jsonb NOT NULL DEFAULT '{}',               -- {host: wire DeclineReason}, until that host is free again
    dead_offers      integer NOT NULL DEFAULT 0,                -- offers that came back unread
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    ended_at         timestamptz,
    CHECK ((host_id IS NULL) <> (pool IS NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (state <> 'running' OR (instance_id IS NOT NULL AND worker_id IS NOT NULL AND epoch > 0)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled', 'superseded', 'abandoned')) = (ended_at IS NOT NULL)),
    CHECK ((kind IN ('activate', 'rollback')) = (generation IS NOT NULL)),
    CHECK (kind = 'build' OR placement_id IS NOT NULL)
);
CREATE UNIQUE INDEX job_one_open_switch ON job (placement_id)
    WHERE kind IN ('activate', 'rollback') AND state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate');
CREATE UNIQUE INDEX job_generation ON job (placement_id, generation) WHERE generation IS NOT NULL;
CREATE INDEX job_open ON job (state, offer_expires_at)
    WHERE state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate');
CREATE INDEX job_by_deployment ON job (deployment_id);
CREATE INDEX job_by_release ON job (release_id);
CREATE INDEX job_by_placement ON job (placement_id, number DESC);

CREATE TABLE attempt (
    job_id       uuid NOT NULL REFERENCES job (id),
    epoch        integer NOT NULL CHECK (epoch > 0),
    host_id      text NOT NULL REFERENCES host (id),
    instance_id  uuid NOT NULL,
    nonce        text NOT NULL,
    granted      bytea NOT NULL,                                -- the sealed grant, sent again when asked again
    granted_at   timestamptz NOT NULL,
    last_beat_at timestamptz,
    ended_at     timestamptz,
    ending       text CHECK (ending IN ('result', 'lost', 'not_begun', 'replaced')),
    outcome      jsonb,
    log_last_seq bigint,
    log_lines    bigint,
    PRIMARY KEY (job_id, epoch),
    CHECK ((ended_at IS NULL) = (ending IS NULL))
);

CREATE TABLE job_step (
    job_id       uuid NOT NULL REFERENCES job (id),
    epoch        integer NOT NULL,
    ordinal      integer NOT NULL,
    name         text NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    duration_ms  bigint,
    ok           boolean,
    PRIMARY KEY (job_id, epoch, ordinal)
);

CREATE TABLE log_chunk (
    stream_id    uuid NOT NULL REFERENCES log_stream (id),
    epoch        integer NOT NULL,
    seq          bigint NOT NULL CHECK (seq > 0),
    stage        text NOT NULL,
    first_line   bigint NOT NULL CHECK (first_line > 0),
    line_count   bigint NOT NULL CHECK (line_count >= 0),
    byte_offset  bigint NOT NULL,
    content      jsonb NOT NULL,                                -- wire::logs::LogContent
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (stream_id, epoch, seq)
);
CREATE INDEX log_chunk_by_line ON log_chunk (stream_id, epoch, first_line);
CREATE INDEX log_chunk_by_age ON log_chunk USING brin (received_at);                -- for retention

-- The coordinator's view of the ledgers in the projects' databases.
CREATE TABLE target_migration (
    target_id    uuid NOT NULL REFERENCES target (id),
    phase        text NOT NULL CHECK (phase IN ('pre', 'post', 'hard')),
    name         text NOT NULL,
    checksum     bytea CHECK (octet_length(checksum) = 32),
    state        text NOT NULL CHECK (state IN ('pending', 'applied', 'indeterminate', 'failed')),
    job_id       uuid REFERENCES job (id),
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (target_id, phase, name)
);
