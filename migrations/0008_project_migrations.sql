-- Migrations of projects: runs that belong to no deployment, and what the coordinator knows of each ledger.

ALTER TABLE job DROP CONSTRAINT job_purpose_check;
ALTER TABLE job ADD CONSTRAINT job_purpose_check
    CHECK (purpose IN ('deploy', 'undo', 'converge', 'release', 'collect', 'migrate'));
ALTER TABLE job ADD COLUMN migration_phase text CHECK (migration_phase IN ('pre', 'post', 'hard'));
ALTER TABLE job ADD COLUMN migration_mode text
    CHECK (migration_mode IN ('apply', 'revert', 'list', 'mark_applied', 'mark_pending'));
ALTER TABLE job ADD CHECK ((kind = 'migrate') = (migration_phase IS NOT NULL)) NOT VALID;
ALTER TABLE job ADD CHECK ((kind = 'migrate') = (migration_mode IS NOT NULL)) NOT VALID;

-- One run at a time; others wait as queued, and one whose effect is unknown does not stand in the way of the look that
-- settles it.
CREATE UNIQUE INDEX job_one_open_migration ON job (target_id)
    WHERE kind = 'migrate' AND state IN ('offered', 'running', 'deferred');
CREATE INDEX job_by_ledger ON job (target_id, migration_phase, number DESC) WHERE kind = 'migrate';

-- A project's own tool has names and no scripts that we know.
ALTER TABLE release_migration ALTER COLUMN checksum DROP NOT NULL;
ALTER TABLE release_migration ADD COLUMN reversible boolean NOT NULL DEFAULT false;

-- Runs of pre-migrations that may fail before a person decides.
ALTER TABLE deployment ADD COLUMN migration_tries integer NOT NULL DEFAULT 1 CHECK (migration_tries > 0);

-- Since when this release should be live; post-migrations count from here.
ALTER TABLE target ADD COLUMN desired_since timestamptz;
UPDATE target SET desired_since = COALESCE(
    (SELECT last_live_at FROM good_release WHERE target_id = target.id AND release_id = target.desired_release_id), now())
WHERE desired_release_id IS NOT NULL;
-- The release whose due post-migrations people were reminded of.
ALTER TABLE target ADD COLUMN reminded_release_id uuid REFERENCES release (id);
