-- Where a log ended when the second reader last heard, which it does every ten seconds, votes or
-- none: that the copies of a lost region were read to their end is known from here.
ALTER TABLE votes.log_counts
  ADD COLUMN log_end bigint NOT NULL DEFAULT 0,
  ADD COLUMN heard_at timestamptz NOT NULL DEFAULT '-infinity';
