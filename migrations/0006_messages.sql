-- What goes out and what came in.

CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exchange      text NOT NULL CHECK (exchange IN ('jobs', 'control')),
    routing_key   text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('offer', 'cancel', 'adopt')),
    job_id        uuid REFERENCES job (id),                     -- of an offer or a cancel
    epoch         integer,                                      -- the offered or running epoch
    message       text,                                         -- the unsigned message of an adopt or cancel
    trace         text,                                         -- W3C trace context
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,                         -- not sent any more after that
    claimed_until timestamptz,
    sent_at       timestamptz,
    misses        integer NOT NULL DEFAULT 0,
    CHECK ((kind = 'offer') = (message IS NULL)),
    CHECK (kind <> 'offer' OR job_id IS NOT NULL)
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

CREATE TABLE inbox (
    host_id      text NOT NULL REFERENCES host (id),
    spool_id     uuid NOT NULL,
    seq          bigint NOT NULL CHECK (seq > 0),
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (host_id, spool_id, seq)
);

-- Per spool: everything up to here is stored, so that old inbox rows can go.
CREATE TABLE inbox_contiguous (
    host_id      text NOT NULL REFERENCES host (id),
    spool_id     uuid NOT NULL,
    upto         bigint NOT NULL,
    PRIMARY KEY (host_id, spool_id)
);

-- What was refused, counted by reason; a forged message names no host we could trust.
CREATE TABLE refused_message (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    queue        text NOT NULL,
    reason       text NOT NULL,
    claimed_host text,
    bytes        integer NOT NULL,
    sample       text NOT NULL                                  -- first bytes, printable
);
