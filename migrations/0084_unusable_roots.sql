-- Whether a root can be worked in, by its host's last report. `unusable`: it can be read and not be worked in, or is
-- another's. `unreadable`: nothing of it could be read, and what is stored of it is from before. NULL: nothing stands in
-- the way. A link that names a release which is gone is a problem too, and no obstacle: the next deployment mends it.

ALTER TABLE placement ADD COLUMN root_trouble text
    CHECK (root_trouble IN ('unusable', 'unreadable'));
