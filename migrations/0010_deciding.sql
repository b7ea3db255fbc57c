-- When a deployment may start, what people say while it goes on, and the plans that it may insist on.

ALTER TABLE deployment
    ADD COLUMN expires_at timestamptz,                          -- not started by then: it never starts
    ADD COLUMN pause_wish jsonb,                                -- {by, at, reason}: pause before the next wave
    ADD COLUMN plan_hash  bytea CHECK (octet_length(plan_hash) = 32);

ALTER TABLE deployment_host
    ADD COLUMN retried  bigint NOT NULL DEFAULT 0,              -- what fell short up to this job's number counts no more
    ADD COLUMN accepted bigint NOT NULL DEFAULT 0;              -- a person accepted failures up to this job's number

-- What a deployment would do, as it was shown to whoever planned it. The hash covers what the plan's maker agrees to;
-- the rest of the body is for reading.
CREATE TABLE plan (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    target_id  uuid NOT NULL REFERENCES target (id),
    release_id uuid NOT NULL REFERENCES release (id),
    body       jsonb NOT NULL,                                  -- shared::api::plans::Plan
    made_by    uuid NOT NULL REFERENCES principal (id),
    made_at    timestamptz NOT NULL
);
CREATE INDEX plan_by_age ON plan (made_at);                     -- for retention

ALTER TABLE retention_setting DROP CONSTRAINT retention_setting_table_name_check;
ALTER TABLE retention_setting ADD CHECK (table_name IN ('event', 'log_chunk', 'inbox', 'outbox', 'refused_message',
                                                        'idempotency', 'plan'));
INSERT INTO retention_setting (table_name, days) VALUES ('plan', 30);
