-- What happened: machine facts (pruned) and acts of principals (insert-only).

CREATE TABLE event (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq          bigint UNIQUE,                                 -- the cursor; numbered after commit, so none is skipped
    at           timestamptz NOT NULL,
    kind         text NOT NULL,
    project      text,
    target       text,
    deployment   bigint,
    job          bigint,
    host         text,
    message      text NOT NULL,
    data         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_unnumbered ON event (id) WHERE seq IS NULL;
CREATE SEQUENCE event_cursor;

-- Whoever listens is woken; polling is the net.
CREATE FUNCTION notify_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pointsman_event', '');
    RETURN NULL;
END $$;
CREATE TRIGGER event_notify AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION notify_event();

CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pointsman_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();

CREATE TABLE audit (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    at           timestamptz NOT NULL,
    principal_id uuid NOT NULL REFERENCES principal (id),
    address      text,
    action       text NOT NULL,                                 -- such as deployment.request
    object       text NOT NULL,                                 -- such as shop@production
    result       text NOT NULL CHECK (result IN ('done', 'refused')),
    detail       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_object ON audit (object, number DESC);

CREATE TABLE audit_chain (
    audit_id     uuid PRIMARY KEY REFERENCES audit (id),
    position     bigint NOT NULL UNIQUE,
    prev_hash    bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    hash         bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- Insert-only means insert-only, whoever asks.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_insert_only BEFORE UPDATE OR DELETE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_chain_insert_only BEFORE UPDATE OR DELETE ON audit_chain FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE notification_rule (
    id           uuid PRIMARY KEY,
    project_id   uuid REFERENCES project (id),
    channel      jsonb NOT NULL,
    events       text[] NOT NULL,
    created_by   uuid NOT NULL REFERENCES principal (id),
    created_at   timestamptz NOT NULL,
    disabled_at  timestamptz
);

-- Retention of the prunable tables, in days.
CREATE TABLE retention_setting (
    table_name   text PRIMARY KEY CHECK (table_name IN ('event', 'log_chunk', 'inbox', 'outbox', 'refused_message', 'idempotency')),
    days         integer NOT NULL CHECK (days > 0)
);
INSERT INTO retention_setting VALUES
    ('event', 30), ('log_chunk', 90), ('inbox', 14), ('outbox', 7), ('refused_message', 30), ('idempotency', 1);
