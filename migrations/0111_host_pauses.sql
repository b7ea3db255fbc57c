-- Who paused a host, and why; both are told wherever somebody asks why nothing happens there.

ALTER TABLE host ADD COLUMN paused_by text;
ALTER TABLE host ADD COLUMN paused_reason text;
