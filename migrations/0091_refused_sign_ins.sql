-- Attempts to sign in are counted before each answer; the trail is long.

CREATE INDEX audit_refused ON audit (action, at) WHERE result = 'refused';
