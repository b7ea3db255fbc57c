-- Which pages of a ledger have come: two coordinators may take the last one first, and it settles nothing before all are
-- there.

CREATE TABLE ledger_page (
    job_id uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    page integer NOT NULL CHECK (page >= 0),
    PRIMARY KEY (job_id, page)
);
