-- Who this installation is, and who may act in it.

CREATE TABLE installation (
    id           boolean PRIMARY KEY DEFAULT true CHECK (id),   -- exactly one row
    name         text NOT NULL,                                 -- issuer of signatures; never changed
    created_at   timestamptz NOT NULL
);

CREATE TABLE signing_key (
    key_id       text PRIMARY KEY,                              -- first 16 bytes of SHA-256 of the public key, hex
    public_key   bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

CREATE TABLE principal (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('user', 'token', 'agent', 'schedule', 'system')),
    name         text NOT NULL,
    created_at   timestamptz NOT NULL,
    disabled_at  timestamptz,
    UNIQUE (kind, name)
);

CREATE TABLE token (
    id           text PRIMARY KEY,                              -- public part of pmn_<id>_<secret>
    principal_id uuid NOT NULL REFERENCES principal (id),
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    role         text NOT NULL CHECK (role IN ('viewer', 'deployer', 'maintainer', 'admin')),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- An answer to a repeated request; the same key with another body is a conflict. A repeat whose first attempt committed
-- nothing takes the claim over, and whoever lost the claim cannot commit any more.
CREATE TABLE idempotency (
    principal_id uuid NOT NULL REFERENCES principal (id),
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    claim        uuid NOT NULL,                                 -- the attempt that may commit
    done         boolean NOT NULL DEFAULT false,                -- it committed a change
    status       integer,                                       -- null while it is at work, or when its answer was lost
    answer       text,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (principal_id, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
