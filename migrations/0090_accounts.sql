-- People who sign in to the dashboard, and their sessions. A person is a principal of the kind 'user'.

CREATE TABLE account (
    principal_id  uuid PRIMARY KEY REFERENCES principal (id),
    role          text NOT NULL CHECK (role IN ('viewer', 'deployer', 'maintainer', 'admin')),
    password_hash text NOT NULL,                             -- argon2id, as a PHC string
    created_at    timestamptz NOT NULL
);

-- One-time invitations: whoever holds the secret makes the account. Without a name the guest chooses one.
CREATE TABLE account_invitation (
    secret_hash bytea PRIMARY KEY CHECK (octet_length(secret_hash) = 32),
    name        text,
    role        text NOT NULL CHECK (role IN ('viewer', 'deployer', 'maintainer', 'admin')),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

-- A browser that is signed in; known by the digest of the secret in its cookie. With a token it acts as that token, for
-- as long as the token is good.
CREATE TABLE session (
    secret_hash  bytea PRIMARY KEY CHECK (octet_length(secret_hash) = 32),
    principal_id uuid NOT NULL REFERENCES principal (id),
    token_id     text REFERENCES token (id),
    address      text,
    browser      text,
    created_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
);

CREATE INDEX session_principal ON session (principal_id) WHERE ended_at IS NULL;
CREATE INDEX session_expires ON session (expires_at);
