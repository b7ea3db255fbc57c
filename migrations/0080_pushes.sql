-- Deploy on push: webhooks that forges call, what they told and what came of it, and what holds pushes back.

CREATE TABLE webhook (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL REFERENCES project (id),
    name         text NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
    forge        text NOT NULL CHECK (forge IN ('github', 'gitlab', 'gitea', 'generic')),
    secret_enc   bytea NOT NULL,                                -- sealed with key_id
    key_id       text NOT NULL,
    principal_id uuid NOT NULL REFERENCES principal (id),       -- what it asks for is asked in its own name
    created_at   timestamptz NOT NULL,
    refused_at   timestamptz,                                   -- a call whose signature did not fit, to the minute
    removed_at   timestamptz
);
CREATE UNIQUE INDEX webhook_one_per_name ON webhook (project_id, name) WHERE removed_at IS NULL;

CREATE TABLE push (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id   uuid NOT NULL REFERENCES webhook (id),
    delivery     text NOT NULL,                                 -- the forge's id of the call
    fingerprint  text NOT NULL,                                 -- what makes a call the same as another
    reference    text NOT NULL CHECK (reference LIKE 'refs/heads/%' OR reference LIKE 'refs/tags/%'),
    pushed_by    text,
    received_at  timestamptz NOT NULL,
    tries        integer NOT NULL DEFAULT 0,                    -- the number of the newest one; only that one may answer
    tries_before integer NOT NULL DEFAULT 0 CHECK (tries_before BETWEEN 0 AND tries),   -- of them before it was repeated
    next_try_at  timestamptz,                                   -- null: answered
    claimed_until timestamptz,
    answered_at  timestamptz,
    commit_id    text CHECK (commit_id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    answers      jsonb NOT NULL DEFAULT '[]',                   -- shared::api::pushes::PushAnswer
    CHECK ((next_try_at IS NULL) = (answered_at IS NOT NULL)),
    UNIQUE (webhook_id, fingerprint)
);
CREATE INDEX push_waiting ON push (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX push_by_age ON push (received_at);                 -- for retention
CREATE INDEX push_by_webhook ON push (webhook_id, received_at);

ALTER TABLE target ADD COLUMN on_push jsonb NOT NULL DEFAULT '[]';

-- Without a range it holds every push back.
CREATE TABLE push_pause (
    id           uuid PRIMARY KEY,
    target_id    uuid NOT NULL REFERENCES target (id),
    good_commit  text,
    bad_commit   text,
    deployment_id uuid REFERENCES deployment (id),              -- the rollback that made it; should that not happen, it ends
    reason       text NOT NULL,
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL,
    lifted_at    timestamptz,
    lifted_by    text,
    CHECK ((good_commit IS NULL) = (bad_commit IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX push_pause_one_per_range ON push_pause (target_id, good_commit, bad_commit) NULLS NOT DISTINCT
    WHERE lifted_at IS NULL;

ALTER TABLE retention_setting DROP CONSTRAINT retention_setting_table_name_check;
ALTER TABLE retention_setting ADD CHECK (table_name IN ('event', 'log_chunk', 'inbox', 'outbox', 'refused_message',
                                                        'idempotency', 'plan', 'push'));
INSERT INTO retention_setting (table_name, days) VALUES ('push', 90);
