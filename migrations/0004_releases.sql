-- Numbered, immutable builds.

CREATE TABLE release (
    id              uuid PRIMARY KEY,
    project_id      uuid NOT NULL REFERENCES project (id),
    number          integer NOT NULL CHECK (number > 0),        -- per project, taken at the request
    label           text NOT NULL,                              -- fixed at the request
    reference       text NOT NULL,                              -- the ref that was asked for
    commit_id       text NOT NULL CHECK (commit_id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    subject         text NOT NULL DEFAULT '',
    author          text NOT NULL DEFAULT '',
    state           text NOT NULL CHECK (state IN ('queued', 'building', 'built', 'failed', 'cancelled', 'pruned')),
    source          text NOT NULL DEFAULT 'build' CHECK (source IN ('build', 'variant', 'file_list', 'import')),
    origin          text NOT NULL,                              -- name of the installation that made it
    recipe_body     text,                                       -- frozen; null = no recipe, the tree is the release
    recipe_digest   bytea CHECK (octet_length(recipe_digest) = 32),
    recipe          jsonb NOT NULL,                             -- the parsed recipe, frozen
    manifest_digest bytea CHECK (octet_length(manifest_digest) = 32),   -- the release digest
    archive_digest  bytea CHECK (octet_length(archive_digest) = 32),
    packing_digest  bytea CHECK (octet_length(packing_digest) = 32),
    archive_bytes   bigint,
    total_bytes     bigint,
    entries         bigint,
    folder          text,                                       -- <number>-<first 12 of the digest>
    failure         text,
    created_by      uuid NOT NULL REFERENCES principal (id),
    created_at      timestamptz NOT NULL,
    built_at        timestamptz,
    pruned_at       timestamptz,
    UNIQUE (project_id, number),
    CHECK ((state IN ('built', 'pruned')) = (manifest_digest IS NOT NULL)),
    CHECK ((manifest_digest IS NULL) = (folder IS NULL)),
    CHECK ((recipe_body IS NULL) = (recipe_digest IS NULL))
);
CREATE UNIQUE INDEX release_label ON release (project_id, label) WHERE state NOT IN ('failed', 'cancelled');
CREATE INDEX release_by_commit ON release (project_id, commit_id);

ALTER TABLE target ADD FOREIGN KEY (desired_release_id) REFERENCES release (id);
ALTER TABLE placement ADD FOREIGN KEY (desired_release_id) REFERENCES release (id);
ALTER TABLE placement ADD FOREIGN KEY (attempted_release_id) REFERENCES release (id);
ALTER TABLE placement ADD FOREIGN KEY (confirmed_release_id) REFERENCES release (id);
ALTER TABLE placement_release ADD FOREIGN KEY (release_id) REFERENCES release (id);

CREATE TABLE release_source (
    release_id   uuid NOT NULL REFERENCES release (id),
    repository   text NOT NULL,
    path         text NOT NULL DEFAULT '',
    commit_id    text NOT NULL,
    PRIMARY KEY (release_id, repository, path)
);

CREATE TABLE release_migration (
    release_id   uuid NOT NULL REFERENCES release (id),
    phase        text NOT NULL CHECK (phase IN ('pre', 'post', 'hard')),
    name         text NOT NULL,
    checksum     bytea NOT NULL CHECK (octet_length(checksum) = 32),
    PRIMARY KEY (release_id, phase, name)
);

CREATE TABLE release_mark (
    release_id   uuid NOT NULL REFERENCES release (id),
    mark         text NOT NULL,
    marked_by    uuid NOT NULL REFERENCES principal (id),
    evidence     text,
    marked_at    timestamptz NOT NULL,
    PRIMARY KEY (release_id, mark)
);

-- A release is good in a target once it was live there and healthy.
CREATE TABLE good_release (
    target_id     uuid NOT NULL REFERENCES target (id),
    release_id    uuid NOT NULL REFERENCES release (id),
    first_live_at timestamptz NOT NULL,
    last_live_at  timestamptz NOT NULL,
    left_by_rollback_at timestamptz,                            -- skipped when looking for the previous good one
    PRIMARY KEY (target_id, release_id)
);

-- Objects of the store; a row is touched under lock before an upload, store collection takes the same lock.
CREATE TABLE stored_object (
    kind         text NOT NULL CHECK (kind IN ('manifests', 'archives', 'packings')),
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    bytes        bigint,                                        -- null until the upload was complete
    touched_at   timestamptz NOT NULL,
    PRIMARY KEY (kind, digest)
);
