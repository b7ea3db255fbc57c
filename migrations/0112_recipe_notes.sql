-- Why a revision was written, in its author's words.

ALTER TABLE document ADD COLUMN note text CHECK (length(note) <= 500);
