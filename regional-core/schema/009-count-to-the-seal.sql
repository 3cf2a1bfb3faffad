-- The ledger's one transaction, second edition: it refuses an old writer and a log that is not read
-- (any more, or yet), reads seals and final statements among the votes, and calls late what lies
-- behind a seal. It replaces 004 and the leases of 005.
--
--   lock the offset rows, in order, and compare them with what the worker expects (fence)
--   → seals and final statements, so that this batch's own seals bound its votes
--   → insert the votes, sorted by key (no deadlocks), the first one of a voter wins
--   → in a second statement, which sees the winners, classify the rest
--   → add to tallies and verdicts what really happened → advance the offsets
--
-- SQLSTATEs of ours, told apart by the worker: VT001 an old writer, VT002 a log that is not read.

DROP FUNCTION votes.count_batch, votes.judge_rest, votes.lease_partitions;
DROP TYPE votes.batch_result;

-- Counts and offsets are told as numbers that JavaScript holds exactly: beyond 2^53 - 1 a batch is
-- refused, never rounded.
ALTER TABLE votes.tallies ADD CONSTRAINT votes_are_exact
  CHECK (votes BETWEEN -9007199254740991 AND 9007199254740991);
ALTER TABLE votes.offsets ADD CONSTRAINT offsets_are_exact
  CHECK (next_offset BETWEEN 0 AND 9007199254740991 AND log_end <= 9007199254740991);
ALTER TABLE votes.verdicts ADD CONSTRAINT verdicts_are_exact
  CHECK (greatest(counted, duplicate, replayed, late, quarantined, control) <= 9007199254740991);

-- The logs that are read: a region's own until it is declared lost, from then on what other regions
-- hold as its standby, unless they are lost as well.
CREATE VIEW votes.live_logs AS
SELECT log.region_no, log.region
FROM votes.regions log
LEFT JOIN votes.regions origin ON origin.region_no = log.stands_for
LEFT JOIN votes.regions host ON log.stands_for IS NOT NULL
  AND host.region = split_part(log.region, '@', 2)
WHERE log.lost_at IS NULL AND host.lost_at IS NULL
  AND (log.stands_for IS NULL OR origin.lost_at IS NOT NULL);

CREATE TYPE votes.batch_result AS (
  -- True: another worker was here, or the log is another one. Nothing was changed.
  fenced boolean,
  counted integer,
  duplicate integer,
  replayed integer,
  late integer,
  quarantined integer,
  -- Seals and final statements.
  control integer
);

-- Raises when this database is one that a fail-over has left behind, or when the log is not read.
CREATE FUNCTION votes.refuse_old_or_unread(p_region_no smallint, p_epoch_min integer)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  held integer := (SELECT epoch FROM votes.epoch);
  name text;
BEGIN
  IF held < p_epoch_min THEN
    RAISE EXCEPTION 'an old writer: this database is of epoch %, and % was seen', held,
      p_epoch_min USING ERRCODE = 'VT001';
  END IF;
  IF NOT EXISTS (SELECT FROM votes.live_logs WHERE region_no = p_region_no) THEN
    SELECT region INTO name FROM votes.regions WHERE region_no = p_region_no;
    RAISE EXCEPTION 'the log % is not read: it is not known here, or its region is lost',
      coalesce(name, '#' || p_region_no)
      USING ERRCODE = 'VT002';
  END IF;
  RETURN held;
END
$$;

CREATE FUNCTION votes.count_batch(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  -- The highest epoch the worker has seen anywhere.
  p_epoch_min integer,
  -- One entry a partition: where the batch starts, where it ends, where the log ends.
  p_partitions smallint[],
  p_from bigint[],
  p_next bigint[],
  p_log_end bigint[],
  -- Readable votes: p_session_at points into p_sessions, from 1.
  p_sessions uuid[],
  p_session_at integer[],
  p_vote_ids uuid[],
  p_option_nos integer[],
  p_accepted_at_ms bigint[],
  p_vote_partitions smallint[],
  p_vote_offsets bigint[],
  -- Records that cannot be read or believed.
  p_bad_sessions uuid[],
  p_bad_partitions smallint[],
  p_bad_offsets bigint[],
  p_bad_reasons text[],
  p_bad_keys bytea[],
  p_bad_values bytea[],
  -- Rare ones, verified by the worker; see judge_control.
  p_seals jsonb,
  p_finals jsonb
) RETURNS votes.batch_result
LANGUAGE plpgsql AS $$
DECLARE
  result votes.batch_result := (false, 0, 0, 0, 0, 0, 0);
  controls integer := jsonb_array_length(p_seals) + jsonb_array_length(p_finals);
  records bigint := cardinality(p_vote_ids) + cardinality(p_bad_offsets) + controls;
  contradicting integer := 0;
  spanned bigint;
  matched integer;
  won_partitions smallint[];
  won_offsets bigint[];
BEGIN
  PERFORM FROM votes.offsets
  WHERE region_no = p_region_no AND partition = ANY (p_partitions)
  ORDER BY partition FOR UPDATE;
  PERFORM votes.refuse_old_or_unread(p_region_no, p_epoch_min);

  SELECT count(*) INTO matched
  FROM unnest(p_partitions, p_from) AS expected(partition, next_offset)
  JOIN votes.offsets USING (partition, next_offset)
  WHERE region_no = p_region_no AND cluster_id = p_cluster_id AND topic_id = p_topic_id;
  IF matched <> cardinality(p_partitions) THEN
    result.fenced := true;
    RETURN result;
  END IF;

  -- Offsets of this log are dense (no transactions, no compaction): a hole is a lost record.
  SELECT sum(n - f) INTO spanned FROM unnest(p_next, p_from) AS span(n, f);
  IF spanned <> records THEN
    RAISE EXCEPTION 'batch spans % offsets but holds % records', spanned, records;
  END IF;

  IF controls > 0 THEN
    SELECT * INTO result.control, contradicting
    FROM votes.judge_control(p_region_no, p_partitions, p_next, p_seals, p_finals);
  END IF;

  WITH session AS MATERIALIZED (
    SELECT given.at, s.session_no, s.closes_at, jsonb_array_length(s.options) AS options
    FROM unnest(p_sessions) WITH ORDINALITY AS given(session_id, at)
    JOIN votes.voting_sessions s USING (session_id)
    WHERE s.sealed_at IS NULL
  ), cut AS MATERIALIZED (
    SELECT session.at, seal.partition, seal."offset"
    FROM session JOIN votes.seals seal
      ON seal.session_no = session.session_no AND seal.region_no = p_region_no
  ), record AS (
    SELECT session_no, vote_id, option_no, r.partition, r."offset",
      to_timestamp(accepted_at_ms / 1000.0) AS accepted_at, closes_at, options,
      cut."offset" AS cut_offset
    FROM unnest(p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets) AS r(at, vote_id, option_no, accepted_at_ms, partition, "offset")
    JOIN session USING (at)
    LEFT JOIN cut ON cut.at = r.at AND cut.partition = r.partition
  ), won AS (
    INSERT INTO votes.votes
      (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
    SELECT session_no, vote_id, option_no, p_region_no, partition, "offset", accepted_at
    FROM record
    WHERE option_no < options AND accepted_at <= closes_at
      AND (cut_offset IS NULL OR "offset" < cut_offset)
    ORDER BY session_no, vote_id, accepted_at, option_no, partition, "offset"
    ON CONFLICT DO NOTHING
    RETURNING session_no, option_no, partition, "offset"
  ), tallied AS (
    INSERT INTO votes.tallies AS t (session_no, option_no, region_no, partition, votes)
    SELECT session_no, option_no, p_region_no, partition, count(*)
    FROM won GROUP BY session_no, option_no, partition
    ON CONFLICT (session_no, option_no, region_no, partition)
    DO UPDATE SET votes = t.votes + excluded.votes
  ), judged AS (
    INSERT INTO votes.verdicts AS v
      (session_no, region_no, partition, counted, next_offset, first_offset)
    SELECT session_no, p_region_no, partition, counted, reached.next_offset, first_offset
    FROM (
      SELECT session_no, partition, count(*) AS counted, min("offset") AS first_offset
      FROM won GROUP BY session_no, partition
    ) AS by_partition
    JOIN unnest(p_partitions, p_next) AS reached(partition, next_offset) USING (partition)
    ON CONFLICT (session_no, region_no, partition)
    DO UPDATE SET counted = v.counted + excluded.counted, next_offset = excluded.next_offset,
      first_offset = least(v.first_offset, excluded.first_offset)
  )
  SELECT coalesce(array_agg(partition), '{}'), coalesce(array_agg("offset"), '{}')
  INTO won_partitions, won_offsets FROM won;
  result.counted := cardinality(won_offsets);

  IF result.counted + controls < records THEN
    SELECT * INTO result.duplicate, result.replayed, result.late, result.quarantined
    FROM votes.judge_rest(p_region_no, p_partitions, p_next, won_partitions, won_offsets,
      p_sessions, p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets, p_bad_sessions, p_bad_partitions, p_bad_offsets, p_bad_reasons, p_bad_keys,
      p_bad_values);
  END IF;
  result.quarantined := result.quarantined + contradicting;

  UPDATE votes.offsets o
  SET next_offset = reached.next_offset, log_end = greatest(o.log_end, reached.log_end),
    read_at = clock_timestamp()
  FROM unnest(p_partitions, p_next, p_log_end) AS reached(partition, next_offset, log_end)
  WHERE o.region_no = p_region_no AND o.partition = reached.partition;
  RETURN result;
END
$$;

CREATE FUNCTION votes.refuse_without_winner(p_vote_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  -- A record that was not inserted, has no winner and yet is in time and of a known option: the
  -- session changed between the two statements. The batch is rolled back, and counted by what
  -- holds then.
  RAISE EXCEPTION 'vote % was not counted and has no winner', p_vote_id;
END
$$;

-- The records of a batch that were not counted. A statement of its own, because the one that lost
-- to a concurrent insert cannot see the winner (READ COMMITTED). In a settled session a record that
-- says what the one that counts says is a copy of it, as a lost region's standby brings them.
CREATE FUNCTION votes.judge_rest(
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

REVOKE ALL ON FUNCTION votes.count_batch, votes.judge_rest, votes.refuse_old_or_unread,
  votes.refuse_without_winner FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.count_batch, votes.judge_rest, votes.refuse_old_or_unread,
  votes.refuse_without_winner TO ledger;
GRANT SELECT ON votes.live_logs TO ledger, publisher, records, portal;
