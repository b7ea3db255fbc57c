-- Notifications: channels, the rules that choose what goes there, and each delivery with its tries.

-- What was reserved for this was never written nor read.
DROP TABLE notification_rule;

CREATE TABLE channel (
    id             uuid PRIMARY KEY,
    name           text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
    project_id     uuid REFERENCES project (id),                -- the only one that may use it
    place          jsonb NOT NULL,                              -- shared::api::notifications::Place: kind, and what may be shown
    address_enc    bytea,                                       -- a webhook's address, a bot's token: sealed with address_key
    address_key    text,
    secret_enc     bytea,                                       -- signs
    secret_key     text,
    previous_enc   bytea,                                       -- signs as well, until then
    previous_key   text,
    previous_until timestamptz,
    created_by     uuid NOT NULL REFERENCES principal (id),
    created_at     timestamptz NOT NULL,
    disabled_at    timestamptz,
    disabled_why   text,
    failing_since  timestamptz,                                 -- every try since then failed
    last_error     text,
    CHECK ((address_enc IS NULL) = (address_key IS NULL)),
    CHECK ((secret_enc IS NULL) = (secret_key IS NULL)),
    CHECK ((previous_enc IS NULL) = (previous_key IS NULL) AND (previous_enc IS NULL) = (previous_until IS NULL)),
    CHECK (previous_enc IS NULL OR secret_enc IS NOT NULL),
    CHECK ((disabled_at IS NULL) = (disabled_why IS NULL)),
    CHECK ((failing_since IS NULL) = (last_error IS NULL))
);

CREATE TABLE notification_rule (
    id             uuid PRIMARY KEY,
    number         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    channel_id     uuid NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    project_id     uuid REFERENCES project (id),                -- none = all
    environments   text[] NOT NULL,                             -- none = all, and what belongs to none
    events         text[] NOT NULL,                             -- patterns; none = failures and recoveries
    created_by     uuid NOT NULL REFERENCES principal (id),
    created_at     timestamptz NOT NULL
);
CREATE INDEX notification_rule_by_channel ON notification_rule (channel_id);

-- What of the numbered events was turned into deliveries. Its lock makes one coordinator at a time do that.
CREATE TABLE notification_cursor (
    only_one       boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    seq            bigint NOT NULL
);
INSERT INTO notification_cursor (seq) SELECT COALESCE(max(seq), 0) FROM event;

-- What is in trouble, so that its end is told as a recovery.
CREATE TABLE trouble (
    subject        text PRIMARY KEY,                            -- such as deploy shop@production
    since          timestamptz NOT NULL
);

CREATE TABLE delivery (
    id             uuid PRIMARY KEY,                            -- the message's id at every try
    number         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    channel_id     uuid NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    event_seq      bigint,                                      -- none = a test
    thread         text,                                        -- what belongs to one message or thread: deployment 812
    topic          text NOT NULL,
    notice         jsonb NOT NULL,                              -- shared::api::notifications::Notice
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed', 'superseded')),
    tries          integer NOT NULL DEFAULT 0 CHECK (tries >= 0),   -- the number of the newest one; only that one may end it
    tries_before   integer NOT NULL DEFAULT 0 CHECK (tries_before BETWEEN 0 AND tries),     -- of them before it was sent again by hand
    created_at     timestamptz NOT NULL,
    next_at        timestamptz NOT NULL,
    claimed_until  timestamptz,
    ended_at       timestamptz,
    handle         jsonb,                                       -- how the receiver knows the message that this one posted
    UNIQUE (channel_id, event_seq),                             -- once to each channel, whoever tries
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX delivery_waiting ON delivery (channel_id, next_at) WHERE state = 'waiting';
CREATE INDEX delivery_by_thread ON delivery (channel_id, thread, number) WHERE thread IS NOT NULL;
CREATE INDEX delivery_by_age ON delivery (created_at);          -- for retention

CREATE TABLE delivery_try (
    delivery_id    uuid NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    ordinal        integer NOT NULL CHECK (ordinal > 0),
    at             timestamptz NOT NULL,
    took_ms        integer NOT NULL CHECK (took_ms >= 0),
    status         integer,
    request        text NOT NULL,
    answer         text,                                        -- its beginning
    error          text,
    PRIMARY KEY (delivery_id, ordinal)
);

ALTER TABLE retention_setting DROP CONSTRAINT retention_setting_table_name_check;
ALTER TABLE retention_setting ADD CHECK (table_name IN ('event', 'log_chunk', 'inbox', 'outbox', 'refused_message',
                                                        'idempotency', 'plan', 'push', 'delivery'));
INSERT INTO retention_setting (table_name, days) VALUES ('delivery', 30);
