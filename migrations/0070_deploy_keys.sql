-- The ssh key with which a project's repository alone is fetched; one for each project at most.
CREATE TABLE deploy_key (
    project_id   uuid PRIMARY KEY REFERENCES project (id),
    value_enc    bytea NOT NULL,                                -- the private half, sealed with key_id
    key_id       text NOT NULL,
    public_key   text NOT NULL,                                 -- one line, as a forge takes it
    fingerprint  text NOT NULL,                                 -- SHA256:...
    known_hosts  text NOT NULL,                                 -- lines beside those of the machine that fetches
    updated_by   uuid NOT NULL REFERENCES principal (id),
    updated_at   timestamptz NOT NULL
);
