-- The balance in full: what the second reader counts and of which log, where both readers were
-- compared at the same offset, and how the balance of each session stood minute by minute.

-- An offset names a record only together with the cluster and the topic it was read from. Empty for
-- what was counted before; filled in by the next count.
ALTER TABLE votes.log_counts
  ADD COLUMN cluster_id text,
  ADD COLUMN topic_id uuid,
  -- Where the log ended when the second reader last heard, which it does every ten seconds, votes
  -- or none: that the copies of a lost region were read to their end is known from here.
  ADD COLUMN log_end bigint NOT NULL DEFAULT 0,
  ADD COLUMN heard_at timestamptz NOT NULL DEFAULT '-infinity',
  ADD CONSTRAINT log_is_whole CHECK ((cluster_id IS NULL) = (topic_id IS NULL));

ALTER TABLE votes.log_session_counts
  -- Seals and final statements: in the log, and no votes.
  ADD COLUMN control bigint NOT NULL DEFAULT 0,
  -- The offset up to which both readers last were compared, and by how many records the log had
  -- more (or, negative, fewer) than there were verdicts.
  ADD COLUMN checked_next bigint,
  ADD COLUMN checked_off bigint NOT NULL DEFAULT 0;

-- One row a session and minute, written by whoever measures: the last reading of that minute, and
-- the worst difference in it. Kept nine days.
CREATE TABLE votes.balance_minutes (
  session_no integer NOT NULL,
  minute timestamptz NOT NULL,
  accepted bigint NOT NULL,
  counted bigint NOT NULL,
  duplicate bigint NOT NULL,
  replayed bigint NOT NULL,
  late bigint NOT NULL,
  quarantined bigint NOT NULL,
  void bigint NOT NULL,
  control bigint NOT NULL,
  pending bigint NOT NULL,
  off bigint NOT NULL,
  PRIMARY KEY (session_no, minute)
);
CREATE INDEX balance_minutes_by_age ON votes.balance_minutes (minute);

GRANT SELECT, INSERT, UPDATE, DELETE ON votes.balance_minutes TO records;
GRANT SELECT ON votes.balance_minutes TO portal;
-- What is outstanding is asked where the logs are heard, votes or none.
GRANT SELECT ON votes.log_counts TO portal;
