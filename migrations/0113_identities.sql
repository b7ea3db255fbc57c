-- People whom an OpenID provider knows: an account without a password, bound to the provider and its name for the
-- person for good.

ALTER TABLE account ALTER COLUMN password_hash DROP NOT NULL;

CREATE TABLE account_identity (
    issuer       text NOT NULL,
    subject      text NOT NULL,
    principal_id uuid NOT NULL REFERENCES account (principal_id),
    PRIMARY KEY (issuer, subject)
);
