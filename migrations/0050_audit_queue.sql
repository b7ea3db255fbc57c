-- What the chainer has to chain yet. A trigger fills it, so that the newest acts are found at once however long the
-- trail is, and so that acts of a coordinator of the version before are chained, too.

CREATE TABLE audit_unchained (
    audit_id     uuid PRIMARY KEY REFERENCES audit (id),
    since        timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION note_unchained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_unchained (audit_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
-- Taking the trigger's lock keeps new acts out until the old ones are noted.
CREATE TRIGGER audit_note_unchained AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION note_unchained();

INSERT INTO audit_unchained (audit_id)
SELECT id FROM audit WHERE NOT EXISTS (SELECT FROM audit_chain WHERE audit_id = audit.id);
