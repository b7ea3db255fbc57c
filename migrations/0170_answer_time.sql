-- How long a host took from the newest offer of a job of its own to its claim, and when it claimed.

ALTER TABLE host ADD COLUMN answer_ms integer CHECK (answer_ms >= 0);       -- our relay and intake count as well
ALTER TABLE host ADD COLUMN answered_at timestamptz;
