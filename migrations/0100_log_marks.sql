-- What makes a long log quick to search and to jump in. Pieces that were stored before have neither: a search reads
-- their lines instead, and their errors and groups are not marked.

ALTER TABLE log_chunk ADD COLUMN body text;              -- domain::log_marks::searchable
ALTER TABLE log_chunk ADD COLUMN marks jsonb;            -- domain::log_marks::Mark[]; null = none
CREATE INDEX log_chunk_marked ON log_chunk (stream_id, epoch, first_line) WHERE marks IS NOT NULL;
