-- The e-mail address of an account, as commits bear it: who looks at a plan is told which of its commits are theirs.
ALTER TABLE account ADD COLUMN email text CHECK (email = lower(email) AND length(email) <= 254);

-- What somebody built or deployed last.
CREATE INDEX release_by_principal ON release (created_by, created_at DESC);
CREATE INDEX deployment_by_principal ON deployment (requested_by, requested_at DESC);
