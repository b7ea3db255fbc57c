-- How tickets are named in a project's commits, and the address that leads to one of them.

ALTER TABLE project ADD COLUMN ticket_pattern text CHECK (length(ticket_pattern) BETWEEN 1 AND 500);    -- a regular expression
ALTER TABLE project ADD COLUMN ticket_link text CHECK (length(ticket_link) BETWEEN 1 AND 500);          -- {} = the ticket
ALTER TABLE project ADD CONSTRAINT project_tickets_check
    CHECK ((ticket_pattern IS NULL) = (ticket_link IS NULL)) NOT VALID;
ALTER TABLE project VALIDATE CONSTRAINT project_tickets_check;
