-- What is deployed, and where to.

CREATE TABLE project (
    id                  uuid PRIMARY KEY,
    name                text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
    repository          text NOT NULL,
    subdirectory        text,
    pool                text NOT NULL DEFAULT 'default',
    next_release_number integer NOT NULL DEFAULT 1 CHECK (next_release_number > 0),
    created_at          timestamptz NOT NULL,
    archived_at         timestamptz
);

CREATE TABLE environment (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
    position     integer NOT NULL DEFAULT 0,                    -- promotion order
    kind         text NOT NULL DEFAULT 'fixed' CHECK (kind IN ('fixed', 'ephemeral')),
    created_at   timestamptz NOT NULL
);

CREATE TABLE target (
    id                 uuid PRIMARY KEY,
    project_id         uuid NOT NULL REFERENCES project (id),
    environment_id     uuid NOT NULL REFERENCES environment (id),
    root               text NOT NULL CHECK (root LIKE '/%'),
    labels             jsonb NOT NULL,                          -- a host must have all of them
    strategy           jsonb NOT NULL,
    position           integer NOT NULL DEFAULT 0,
    gates              jsonb NOT NULL DEFAULT '[]',
    retention          jsonb NOT NULL DEFAULT '{}',
    exclusivity        text NOT NULL DEFAULT 'target' CHECK (exclusivity IN ('target', 'project')),
    when_busy          text NOT NULL DEFAULT 'queue' CHECK (when_busy IN ('queue', 'supersede', 'refuse')),
    migration_host     text,
    desired_release_id uuid,                                    -- of the last deployment that ended live or rolled back
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    UNIQUE (project_id, environment_id)
);

-- A value of a variable in one scope; the narrower scope wins.
CREATE TABLE variable (
    scope        text NOT NULL CHECK (scope IN ('project', 'environment', 'target', 'host')),
    scope_name   text NOT NULL,                                 -- name of the project, environment, target or host
    name         text NOT NULL CHECK (name ~ '^[A-Z_][A-Z0-9_]{0,63}$'),
    value        text,                                          -- plain
    value_enc    bytea,                                         -- secret, sealed with key_id
    key_id       text,
    updated_by   uuid NOT NULL REFERENCES principal (id),
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (scope, scope_name, name),
    CHECK ((value IS NULL) <> (value_enc IS NULL)),
    CHECK ((value_enc IS NULL) = (key_id IS NULL))
);

-- Versioned documents: recipes first, settings and profiles later. Rows are only added.
CREATE TABLE document (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('recipe', 'settings', 'profile')),
    scope        text NOT NULL,
    name         text NOT NULL,
    revision     integer NOT NULL CHECK (revision > 0),
    body         text NOT NULL,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    author       uuid NOT NULL REFERENCES principal (id),
    created_at   timestamptz NOT NULL,
    UNIQUE (kind, scope, name, revision)
);

-- A lock refuses new wishes for a target; a row without a target is the global stop.
CREATE TABLE lock (
    id           uuid PRIMARY KEY,
    target_id    uuid REFERENCES target (id),
    reason       text NOT NULL,
    owner        uuid NOT NULL REFERENCES principal (id),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    released_at  timestamptz,
    released_by  uuid REFERENCES principal (id)
);
CREATE UNIQUE INDEX lock_one_per_target ON lock (target_id) NULLS NOT DISTINCT WHERE released_at IS NULL;

CREATE TABLE schedule (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL,
    scope        text NOT NULL,
    expression   text NOT NULL,                                 -- cron
    next_run_at  timestamptz NOT NULL,                          -- claimed by a conditional UPDATE
    last_run_at  timestamptz,
    enabled      boolean NOT NULL DEFAULT true,
    UNIQUE (kind, scope)
);
