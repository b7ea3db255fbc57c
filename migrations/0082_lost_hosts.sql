-- When it was told that a host is not heard any more; none while it is heard. So each silence is told once.

ALTER TABLE host ADD COLUMN lost_at timestamptz;
