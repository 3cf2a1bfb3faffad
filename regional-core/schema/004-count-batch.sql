-- The ledger's one transaction. A call counts a batch of records from several partitions of one
-- region's log and says how each ended; it happens whole or not at all.
--
--   lock the offset rows, in order, and compare them with what the worker expects (fence)
--   → insert the votes, sorted by key (no deadlocks), the first one of a voter wins
--   → in a second statement, which sees the winners, classify the rest
--   → add to tallies and verdicts what really happened → advance the offsets
--
-- A crash before COMMIT changes nothing, one after it is found out by reading the offsets: the
-- caller never resends blindly.

CREATE TYPE votes.batch_result AS (
  -- True: another worker was here, or the log is another one. Nothing was changed.
  fenced boolean,
  counted integer,
  duplicate integer,
  replayed integer,
  late integer,
  quarantined integer
);

CREATE FUNCTION votes.count_batch(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  -- One entry a partition: where the batch starts, where it ends, where the log ends.
  p_partitions smallint[],
  p_from bigint[],
  p_next bigint[],
  p_log_end bigint[],
  -- Readable records: p_session_at points into p_sessions, from 1.
  p_sessions uuid[],
  p_session_at integer[],
  p_vote_ids uuid[],
  p_option_nos integer[],
  p_accepted_at_ms bigint[],
  p_vote_partitions smallint[],
  p_vote_offsets bigint[],
  -- Unreadable ones.
  p_bad_sessions uuid[],
  p_bad_partitions smallint[],
  p_bad_offsets bigint[],
  p_bad_reasons text[],
  p_bad_keys bytea[],
  p_bad_values bytea[]
) RETURNS votes.batch_result
LANGUAGE plpgsql AS $$
DECLARE
  result votes.batch_result := (false, 0, 0, 0, 0, 0);
  records bigint := cardinality(p_vote_ids) + cardinality(p_bad_offsets);
  spanned bigint;
  matched integer;
  won_partitions smallint[];
  won_offsets bigint[];
BEGIN
  PERFORM FROM votes.offsets
  WHERE region_no = p_region_no AND partition = ANY (p_partitions)
  ORDER BY partition FOR UPDATE;

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

  WITH session AS MATERIALIZED (
    SELECT given.at, s.session_no, s.closes_at, jsonb_array_length(s.options) AS options
    FROM unnest(p_sessions) WITH ORDINALITY AS given(session_id, at)
    JOIN votes.voting_sessions s USING (session_id)
  ), record AS (
    SELECT session_no, vote_id, option_no, partition, "offset",
      to_timestamp(accepted_at_ms / 1000.0) AS accepted_at, closes_at, options
    FROM unnest(p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets) AS r(at, vote_id, option_no, accepted_at_ms, partition, "offset")
    JOIN session USING (at)
  ), won AS (
    INSERT INTO votes.votes
      (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
    SELECT session_no, vote_id, option_no, p_region_no, partition, "offset", accepted_at
    FROM record
    WHERE option_no < options AND accepted_at <= closes_at
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
    INSERT INTO votes.verdicts AS v (session_no, region_no, partition, counted, next_offset)
    SELECT session_no, p_region_no, won.partition, count(*), min(reached.next_offset)
    FROM won JOIN unnest(p_partitions, p_next) AS reached(partition, next_offset)
      ON reached.partition = won.partition
    GROUP BY session_no, won.partition
    ON CONFLICT (session_no, region_no, partition)
    DO UPDATE SET counted = v.counted + excluded.counted, next_offset = excluded.next_offset
  )
  SELECT coalesce(array_agg(partition), '{}'), coalesce(array_agg("offset"), '{}')
  INTO won_partitions, won_offsets FROM won;
  result.counted := cardinality(won_offsets);

  IF result.counted < records THEN
    SELECT * INTO result.duplicate, result.replayed, result.late, result.quarantined
    FROM votes.judge_rest(p_region_no, p_partitions, p_next, won_partitions, won_offsets,
      p_sessions, p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets, p_bad_sessions, p_bad_partitions, p_bad_offsets, p_bad_reasons, p_bad_keys,
      p_bad_values);
  END IF;

  UPDATE votes.offsets o
  SET next_offset = reached.next_offset, log_end = greatest(o.log_end, reached.log_end),
    read_at = clock_timestamp()
  FROM unnest(p_partitions, p_next, p_log_end) AS reached(partition, next_offset, log_end)
  WHERE o.region_no = p_region_no AND o.partition = reached.partition;
  RETURN result;
END
$$;

-- The records of a batch that were not counted. A statement of its own, because the one that lost
-- to a concurrent insert cannot see the winner (READ COMMITTED).
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
LANGUAGE sql AS $$
  WITH session AS MATERIALIZED (
    SELECT given.at, given.session_id, s.session_no, s.closes_at,
      jsonb_array_length(s.options) AS options
    FROM unnest(p_sessions) WITH ORDINALITY AS given(session_id, at)
    LEFT JOIN votes.voting_sessions s USING (session_id)
  ), rest AS (
    SELECT session_id, session_no, closes_at, options, vote_id, option_no, r.partition, r."offset",
      to_timestamp(accepted_at_ms / 1000.0) AS accepted_at
    FROM unnest(p_session_at, p_vote_ids, p_option_nos, p_accepted_at_ms, p_vote_partitions,
      p_vote_offsets) AS r(at, vote_id, option_no, accepted_at_ms, partition, "offset")
    JOIN session USING (at)
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
        WHEN rest.accepted_at > rest.closes_at THEN 'late'
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
    SELECT coalesce(session_no, 0) AS session_no, partition, verdict FROM judged
    UNION ALL
    SELECT session_no, partition, 'quarantined' FROM bad
  ), verdict AS (
    INSERT INTO votes.verdicts AS v
      (session_no, region_no, partition, duplicate, replayed, late, quarantined, next_offset)
    SELECT session_no, p_region_no, ended.partition,
      count(*) FILTER (WHERE verdict = 'duplicate'),
      count(*) FILTER (WHERE verdict = 'replayed'),
      count(*) FILTER (WHERE verdict = 'late'),
      count(*) FILTER (WHERE verdict = 'quarantined'),
      min(reached.next_offset)
    FROM ended JOIN unnest(p_partitions, p_next) AS reached(partition, next_offset)
      ON reached.partition = ended.partition
    GROUP BY session_no, ended.partition
    ON CONFLICT (session_no, region_no, partition) DO UPDATE SET
      duplicate = v.duplicate + excluded.duplicate,
      replayed = v.replayed + excluded.replayed,
      late = v.late + excluded.late,
      quarantined = v.quarantined + excluded.quarantined,
      next_offset = excluded.next_offset
  )
  SELECT
    count(*) FILTER (WHERE verdict = 'duplicate')::integer,
    count(*) FILTER (WHERE verdict = 'replayed')::integer,
    count(*) FILTER (WHERE verdict = 'late')::integer,
    count(*) FILTER (WHERE verdict = 'quarantined')::integer
  FROM ended;
$$;

REVOKE ALL ON FUNCTION votes.count_batch, votes.judge_rest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.count_batch, votes.judge_rest TO ledger;
