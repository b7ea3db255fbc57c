-- Hosts, and what lies on them.

CREATE TABLE host (
    id                   text PRIMARY KEY CHECK (id ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),  -- fixed at join
    principal_id         uuid NOT NULL REFERENCES principal (id),
    display_name         text NOT NULL,
    labels               jsonb NOT NULL DEFAULT '{}',
    pools                text[] NOT NULL DEFAULT '{}',
    kinds                text[] NOT NULL,
    public_key           bytea CHECK (octet_length(public_key) = 32),  -- null before the join and after a revocation
    key_id               text UNIQUE,
    broker_password_hash text,                                  -- RabbitMQ's own form, so that users can be rebuilt
    broker_ready_at      timestamptz,                           -- user, rights and queues stand
    joined_at            timestamptz,
    revoked_at           timestamptz,
    paused_at            timestamptz,
    instance_id          uuid,                                  -- the current agent process
    boot_id              text,
    software             text,
    wire_versions        integer[] NOT NULL DEFAULT '{}',
    facts                jsonb NOT NULL DEFAULT '{}',
    slots                jsonb NOT NULL DEFAULT '[]',
    processes            jsonb NOT NULL DEFAULT '[]',           -- survivors named by the last hello
    hello_nonce          text,                                  -- of the last hello that was welcomed
    hello_at             timestamptz,
    hello_digest         bytea,                                 -- the state digest that hello announced
    hello_placements     integer NOT NULL DEFAULT 0,            -- and how many placement states
    last_seen_at         timestamptz,
    last_beat            bigint NOT NULL DEFAULT 0,
    working              integer NOT NULL DEFAULT 0,            -- epochs in the last beat
    busy_kinds           text[] NOT NULL DEFAULT '{}',          -- kinds it declined as busy, until slot_free
    state_digest         bytea,                                 -- over the placement states last stored
    free_bytes           bigint,
    control_serial       bigint NOT NULL DEFAULT 0,             -- of unsolicited controls
    clock_offset_ms      bigint,
    created_at           timestamptz NOT NULL
);

CREATE TABLE join_token (
    id           uuid PRIMARY KEY,
    secret_hash  bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    host_id      text NOT NULL,
    labels       jsonb NOT NULL,
    pools        text[] NOT NULL,
    kinds        text[] NOT NULL,
    created_by   uuid NOT NULL REFERENCES principal (id),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    used_key_id  text                                           -- the same key may repeat a lost join
);

CREATE TABLE placement (
    id                   uuid PRIMARY KEY,
    target_id            uuid NOT NULL REFERENCES target (id),
    host_id              text NOT NULL REFERENCES host (id),
    root                 text NOT NULL,
    generation           bigint NOT NULL DEFAULT 0 CHECK (generation >= 0),  -- of the newest decision
    fence_generation     bigint,                                -- the host last reported; null = no fence known
    desired_release_id   uuid,
    attempted_release_id uuid,
    confirmed_release_id uuid,
    current_folder       text,                                  -- read back by the host
    health               text NOT NULL DEFAULT 'unknown' CHECK (health IN ('healthy', 'unhealthy', 'unknown')),
    drift                text,                                  -- what differs, for people; shown, never mended unasked
    problem              text,                                  -- what the host says is wrong with the root
    state_at             timestamptz,                           -- when the host last reported its state
    created_at           timestamptz NOT NULL,
    retired_at           timestamptz
);
CREATE UNIQUE INDEX placement_one_per_root ON placement (host_id, root) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX placement_one_per_target_and_host ON placement (target_id, host_id) WHERE retired_at IS NULL;

-- What is live on a placement is a set of (slot, release); today the one slot is `current`.
CREATE TABLE placement_slot (
    placement_id  uuid NOT NULL REFERENCES placement (id),
    slot          text NOT NULL,
    folder        text,                                         -- the link, read back; null = no link
    foreign_link  text,                                         -- the link's text when it names no release
    fence         jsonb NOT NULL,                               -- wire::from_agent::FenceState
    reported_at   timestamptz NOT NULL,
    PRIMARY KEY (placement_id, slot)
);

-- Pages of the placement states that belong to a host's newest hello; any coordinator may receive any of them.
CREATE TABLE placement_page (
    host_id      text NOT NULL REFERENCES host (id),
    nonce        text NOT NULL,                                 -- of the hello
    placement_id uuid NOT NULL,                                 -- as the host says; it may be none of ours
    page         integer NOT NULL CHECK (page >= 0),
    pages        integer NOT NULL CHECK (pages > page),
    state        jsonb NOT NULL,                                -- wire::from_agent::PlacementState
    PRIMARY KEY (host_id, nonce, placement_id, page)
);

-- Complete releases on a placement, as the host last reported or confirmed them.
CREATE TABLE placement_release (
    placement_id  uuid NOT NULL REFERENCES placement (id),
    folder        text NOT NULL,
    release_id    uuid,                                         -- null = a folder we did not make
    confirmed_at  timestamptz NOT NULL,
    PRIMARY KEY (placement_id, folder)
);
