-- Settling waits for partitions that were added shortly before closing, and one session's settling
-- for no other's. Copies of votes that count are no late votes.

-- When the log's partitions were last asked of its Kafka, by the clock of who asked less its error.
-- Every partition that the log had then has a row in offsets.
ALTER TABLE votes.regions ADD COLUMN layout_read_at timestamptz;
GRANT UPDATE (layout_read_at) ON votes.regions TO ledger;

-- The leases of 010, and when the log was found to have p_partitions partitions. A clock ahead of
-- this database's proves nothing about the time to come.
CREATE FUNCTION votes.lease_partitions(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  p_partitions integer,
  p_worker uuid,
  p_ttl_ms integer,
  p_epoch_min integer,
  p_layout_at_ms bigint
) RETURNS TABLE (epoch integer, partition smallint, next_offset bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  read_at timestamptz := least(to_timestamp(p_layout_at_ms / 1000.0), clock_timestamp());
BEGIN
  UPDATE votes.regions SET layout_read_at = read_at
  WHERE region_no = p_region_no AND lost_at IS NULL
    AND coalesce(layout_read_at < read_at, true);
  RETURN QUERY SELECT * FROM votes.lease_partitions(p_region_no, p_cluster_id, p_topic_id,
    p_partitions, p_worker, p_ttl_ms, p_epoch_min);
END
$$;

-- True when every partition of every log that is read was read through the session's seal. A log
-- that nobody has begun to read is not sealed. Seals are written once no vote is answered any more:
-- a partition that was added before that is among those that a log was found to have afterwards.
CREATE OR REPLACE FUNCTION votes.is_read_through(p_session_no integer) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM votes.seals WHERE session_no = p_session_no)
    AND NOT EXISTS (
      SELECT FROM votes.live_logs log
      LEFT JOIN votes.offsets place USING (region_no)
      LEFT JOIN votes.seals seal ON seal.session_no = p_session_no
        AND seal.region_no = log.region_no AND seal.partition = place.partition
      WHERE seal.session_no IS NULL)
    AND NOT EXISTS (
      SELECT FROM votes.live_logs log
      JOIN votes.regions known USING (region_no)
      WHERE (known.layout_read_at > (
        SELECT min(seal.sealed_at) FROM votes.seals seal
        WHERE seal.session_no = p_session_no AND seal.region_no = log.region_no
      )) IS NOT TRUE)
$$;

-- Settles a session that was read through its seals, once; true when this call did. One that
-- somebody else is settling is left to them.
DROP FUNCTION votes.settle();
CREATE FUNCTION votes.settle(p_session_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  due integer;
BEGIN
  SELECT session_no INTO due FROM votes.voting_sessions
  WHERE session_id = p_session_id AND sealed_at IS NULL AND closes_at < clock_timestamp()
  FOR UPDATE SKIP LOCKED;
  IF NOT FOUND OR NOT votes.is_read_through(due) THEN RETURN false; END IF;
  INSERT INTO votes.corrections (session_no, kind, moved)
  VALUES (due, 'seal', votes.settle_session(due));
  UPDATE votes.voting_sessions SET sealed_at = clock_timestamp(), version = version + 1
  WHERE session_no = due;
  RETURN true;
END
$$;

REVOKE ALL ON FUNCTION votes.settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.settle TO ledger;
REVOKE ALL ON FUNCTION votes.lease_partitions(smallint, text, uuid, integer, uuid, integer,
  integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.lease_partitions(smallint, text, uuid, integer, uuid, integer,
  integer, bigint) TO ledger;

-- The records of a batch that were not counted, as in 009; but in a settled session a record that
-- says what the one that counts says is a copy of it, as a lost region's standby brings them.
CREATE OR REPLACE FUNCTION votes.judge_rest(
  p_region_no smallint,
  p_partitions smallint[],
  p_next bigint[],
  p_won_partitions smallint[],
  p_won_offsets bigint[],
  p_sessions uuid[],
  p_session_at integer[],
  p_vote_ids uuid[],
  p_option_nos integer[],
  p_accepted_at_ms bigint[],
  p_vote_partitions smallint[],
  p_vote_offsets bigint[],
  p_bad_sessions uuid[],
  p_bad_partitions smallint[],
  p_bad_offsets bigint[],
  p_bad_reasons text[],
  p_bad_keys bytea[],
  p_bad_values bytea[],
  OUT duplicate integer,
  OUT replayed integer,
  OUT late integer,
  OUT quarantined integer
)
-- Not in plain SQL, whose statements are planned anew at each call, for every session's table.
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  WITH session AS MATERIALIZED (
    SELECT given.at, given.session_id, s.session_no, s.closes_at,
      s.sealed_at IS NOT NULL AS settled, jsonb_array_length(s.options) AS options
    FROM unnest(p_sessions) WITH ORDINALITY AS given(session_id, at)
    LEFT JOIN votes.voting_sessions s USING (session_id)
  ), cut AS MATERIALIZED (
    SELECT session.at, seal.partition, seal."offset"
    FROM session JOIN votes.seals seal
      ON seal.session_no = session.session_no AND seal.region_no = p_region_no
  ), rest AS (
    SELECT session_id, session_no, closes_at, settled, options, vote_id, option_no, r.partition,
      r."offset", to_timestamp(accepted_at_ms / 1000.0) AS accepted_at, cut."offset" AS cut_offset
    FROM unnest(p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets) AS r(at, vote_id, option_no, accepted_at_ms, partition, "offset")
    JOIN session USING (at)
    LEFT JOIN cut ON cut.at = r.at AND cut.partition = r.partition
    LEFT JOIN unnest(p_won_partitions, p_won_offsets) AS won(partition, "offset")
      ON won.partition = r.partition AND won."offset" = r."offset"
    WHERE won."offset" IS NULL
  ), judged AS MATERIALIZED (
    SELECT rest.*,
      CASE
        WHEN rest.session_no IS NULL THEN 'unknown session'
        WHEN rest.option_no >= rest.options THEN 'unknown option'
      END AS reason,
      CASE
        WHEN rest.session_no IS NULL OR rest.option_no >= rest.options THEN 'quarantined'
        WHEN rest.accepted_at > rest.closes_at OR rest."offset" > rest.cut_offset THEN 'late'
        WHEN rest.settled AND (rest.option_no, rest.accepted_at)
          IS DISTINCT FROM (winner.option_no, winner.accepted_at) THEN 'late'
        WHEN winner.vote_id IS NULL THEN votes.refuse_without_winner(rest.vote_id)
        WHEN rest.option_no = winner.option_no THEN 'replayed'
        ELSE 'duplicate'
      END AS verdict,
      rest.option_no <> winner.option_no OR rest.accepted_at < winner.accepted_at AS conflicts
    FROM rest
    LEFT JOIN votes.votes winner
      ON winner.session_no = rest.session_no AND winner.vote_id = rest.vote_id
  ), conflict AS (
    INSERT INTO votes.vote_conflicts
      (session_no, vote_id, region_no, partition, "offset", option_no, accepted_at)
    SELECT session_no, vote_id, p_region_no, partition, "offset", option_no, accepted_at
    FROM judged WHERE verdict IN ('duplicate', 'replayed') AND conflicts
  ), late_vote AS (
    INSERT INTO votes.late_votes
      (session_no, vote_id, region_no, partition, "offset", option_no, accepted_at)
    SELECT session_no, vote_id, p_region_no, partition, "offset", option_no, accepted_at
    FROM judged WHERE verdict = 'late'
  ), bad AS (
    SELECT coalesce(s.session_no, 0) AS session_no, b.*
    FROM unnest(p_bad_sessions, p_bad_partitions, p_bad_offsets, p_bad_reasons, p_bad_keys,
      p_bad_values) AS b(session_id, partition, "offset", reason, record_key, record_value)
    LEFT JOIN votes.voting_sessions s USING (session_id)
  ), quarantine AS (
    INSERT INTO votes.quarantined_records
      (region_no, partition, "offset", session_id, vote_id, reason, record_key, record_value)
    SELECT p_region_no, partition, "offset", session_id, NULL, reason, record_key, record_value
    FROM bad
    UNION ALL
    SELECT p_region_no, partition, "offset", session_id, vote_id, reason, NULL, NULL
    FROM judged WHERE verdict = 'quarantined'
  ), ended AS (
    SELECT coalesce(session_no, 0) AS session_no, partition, "offset", verdict FROM judged
    UNION ALL
    SELECT session_no, partition, "offset", 'quarantined' FROM bad
  ), verdict AS (
    INSERT INTO votes.verdicts AS v (session_no, region_no, partition, duplicate, replayed, late,
      quarantined, next_offset, first_offset)
    SELECT session_no, p_region_no, ended.partition,
      count(*) FILTER (WHERE verdict = 'duplicate'),
      count(*) FILTER (WHERE verdict = 'replayed'),
      count(*) FILTER (WHERE verdict = 'late'),
      count(*) FILTER (WHERE verdict = 'quarantined'),
      min(reached.next_offset), min(ended."offset")
    FROM ended JOIN unnest(p_partitions, p_next) AS reached(partition, next_offset)
      ON reached.partition = ended.partition
    GROUP BY session_no, ended.partition
    ON CONFLICT (session_no, region_no, partition) DO UPDATE SET
      duplicate = v.duplicate + excluded.duplicate,
      replayed = v.replayed + excluded.replayed,
      late = v.late + excluded.late,
      quarantined = v.quarantined + excluded.quarantined,
      next_offset = excluded.next_offset,
      first_offset = least(v.first_offset, excluded.first_offset)
  )
  SELECT
    count(*) FILTER (WHERE verdict = 'duplicate')::integer,
    count(*) FILTER (WHERE verdict = 'replayed')::integer,
    count(*) FILTER (WHERE verdict = 'late')::integer,
    count(*) FILTER (WHERE verdict = 'quarantined')::integer
  INTO duplicate, replayed, late, quarantined
  FROM ended;
END
$$;
