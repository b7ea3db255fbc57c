-- When a host's agent said that it ends. People are shown it at once; whether the host counts as absent is told by its
-- beats as ever, so that an agent which is restarted in the middle of a deployment takes its host out of nothing. The
-- next hello clears it.

ALTER TABLE host ADD COLUMN stopped_at timestamptz;
