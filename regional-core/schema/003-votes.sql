-- What counts, and how far each log was read. Written by the ledger alone, by one function.

CREATE TABLE votes.regions (
  region_no smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  region text NOT NULL UNIQUE
);

-- The votes that count: one a voter and session, whatever the region. About 125 bytes a row.
CREATE TABLE votes.votes (
  session_no integer NOT NULL,
  vote_id uuid NOT NULL,
  option_no smallint NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  "offset" bigint NOT NULL,
  accepted_at timestamptz NOT NULL,
  counted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_no, vote_id)
) PARTITION BY LIST (session_no);

-- Counts per option, kept by the partition that brought the vote: no two workers share a row.
-- partition = -1 is for corrections made at the seal and after it; those may be negative.
CREATE TABLE votes.tallies (
  session_no integer NOT NULL,
  option_no smallint NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  votes bigint NOT NULL CHECK (votes >= 0 OR partition = -1),
  PRIMARY KEY (session_no, option_no, region_no, partition)
) WITH (fillfactor = 50);

-- How many records of a session in a partition ended how. session_no 0: no session of ours.
CREATE TABLE votes.verdicts (
  session_no integer NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  counted bigint NOT NULL DEFAULT 0,
  duplicate bigint NOT NULL DEFAULT 0,
  replayed bigint NOT NULL DEFAULT 0,
  late bigint NOT NULL DEFAULT 0,
  quarantined bigint NOT NULL DEFAULT 0,
  -- The partition's next offset when this session's records were last read: finds what changed.
  next_offset bigint NOT NULL,
  PRIMARY KEY (session_no, region_no, partition)
) WITH (fillfactor = 50);
CREATE INDEX verdicts_by_progress ON votes.verdicts (region_no, partition, next_offset);

-- The truth about what was read: a worker starts here, never from a consumer group. An offset names
-- a record only together with the cluster and the topic it was read from.
CREATE TABLE votes.offsets (
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  cluster_id text NOT NULL,
  topic_id uuid NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  -- The log's end as last seen: what is still outstanding if the region goes away.
  log_end bigint NOT NULL DEFAULT 0,
  read_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (region_no, partition)
) WITH (fillfactor = 50);

-- Who works on which partition: a hint that keeps workers out of each other's way. The fence is the
-- comparison of offsets in count_batch, which holds whatever stands here.
CREATE TABLE votes.leases (
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  worker uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (region_no, partition)
);
CREATE TABLE votes.workers (
  region_no smallint NOT NULL,
  worker uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (region_no, worker)
);

-- Records that lost to the vote that counts although they differ from it: another option, or an
-- earlier time. At the seal the winner among all of a voter's records is decided from these.
CREATE TABLE votes.vote_conflicts (
  session_no integer NOT NULL,
  vote_id uuid NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  "offset" bigint NOT NULL,
  option_no smallint NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (session_no, vote_id, region_no, partition, "offset")
);

-- Admitted after the closing time in force: listed, not counted, not dropped.
CREATE TABLE votes.late_votes (LIKE votes.vote_conflicts INCLUDING ALL);

-- Unreadable, of no known session, or with an option that the session does not have: kept whole for
-- people to look at.
CREATE TABLE votes.quarantined_records (
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  "offset" bigint NOT NULL,
  session_id uuid,
  vote_id uuid,
  reason text NOT NULL,
  record_key bytea,
  record_value bytea,
  quarantined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (region_no, partition, "offset")
);
CREATE INDEX quarantined_by_vote ON votes.quarantined_records (session_id, vote_id);

-- How many records the log holds, counted by another reader than the ledger.
CREATE TABLE votes.log_counts (
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (region_no, partition)
);
CREATE TABLE votes.log_session_counts (
  session_id uuid NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  accepted bigint NOT NULL,
  PRIMARY KEY (session_id, region_no, partition)
);

-- A session's own table of votes: made apart and attached, because CREATE TABLE … PARTITION OF
-- takes a lock that stalls the ledger (2.4 s against 45 ms).
CREATE FUNCTION votes.create_vote_table(p_session_no integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  name text := format('votes_%s', p_session_no);
BEGIN
  EXECUTE format('CREATE TABLE votes.%I (LIKE votes.votes INCLUDING ALL)', name);
  EXECUTE format('ALTER TABLE votes.votes ATTACH PARTITION votes.%I FOR VALUES IN (%s)',
    name, p_session_no);
END
$$;
REVOKE ALL ON FUNCTION votes.create_vote_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.create_vote_table TO portal;

GRANT SELECT ON ALL TABLES IN SCHEMA votes TO ledger, records;
GRANT INSERT ON votes.votes, votes.vote_conflicts, votes.late_votes, votes.quarantined_records,
  votes.regions TO ledger;
GRANT INSERT, UPDATE ON votes.tallies, votes.verdicts, votes.offsets TO ledger;
GRANT INSERT, UPDATE, DELETE ON votes.leases, votes.workers TO ledger;
GRANT SELECT ON votes.regions, votes.tallies, votes.verdicts, votes.offsets TO publisher, portal;
GRANT INSERT, UPDATE ON votes.log_counts, votes.log_session_counts TO records;
GRANT INSERT ON votes.regions TO records;
