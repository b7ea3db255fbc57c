-- Roles in single projects, beside the one that counts everywhere; who has none there sees only those projects.

ALTER TABLE account DROP CONSTRAINT account_role_check;
ALTER TABLE account ADD CONSTRAINT account_role_check
    CHECK (role IN ('none', 'viewer', 'deployer', 'maintainer', 'admin')) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_role_check;
ALTER TABLE account_invitation DROP CONSTRAINT account_invitation_role_check;
ALTER TABLE account_invitation ADD CONSTRAINT account_invitation_role_check
    CHECK (role IN ('none', 'viewer', 'deployer', 'maintainer', 'admin')) NOT VALID;
ALTER TABLE account_invitation VALIDATE CONSTRAINT account_invitation_role_check;
ALTER TABLE token DROP CONSTRAINT token_role_check;
ALTER TABLE token ADD CONSTRAINT token_role_check
    CHECK (role IN ('none', 'viewer', 'deployer', 'maintainer', 'admin')) NOT VALID;
ALTER TABLE token VALIDATE CONSTRAINT token_role_check;

CREATE TABLE account_project (
    principal_id uuid NOT NULL REFERENCES account (principal_id),
    project_id   uuid NOT NULL REFERENCES project (id),
    role         text NOT NULL CHECK (role IN ('viewer', 'deployer', 'maintainer')),
    PRIMARY KEY (principal_id, project_id)
);

CREATE TABLE token_project (
    token_id   text NOT NULL REFERENCES token (id),
    project_id uuid NOT NULL REFERENCES project (id),
    role       text NOT NULL CHECK (role IN ('viewer', 'deployer', 'maintainer')),
    PRIMARY KEY (token_id, project_id)
);

-- The account gets these with its making; an object of role by project.
ALTER TABLE account_invitation ADD COLUMN projects jsonb NOT NULL DEFAULT '{}';
