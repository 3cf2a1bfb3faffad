-- Leases, seals and final statements as they are read; and from closing to a result: which sessions
-- still need seals, the one transaction that settles who won among a voter's records, the digest of
-- what counts.

-- Keeps a session's final statement; gives why it cannot be kept, NULL when it is. A session has
-- one result: the same once more changes nothing, another is refused.
CREATE FUNCTION votes.keep_final(p_session_no integer, p_statement bytea, p_digest text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  held bytea;
BEGIN
  SELECT final_statement INTO held FROM votes.voting_sessions
  WHERE session_no = p_session_no FOR UPDATE;
  IF held IS NULL THEN
    UPDATE votes.voting_sessions
    SET final_statement = p_statement, final_at = clock_timestamp(), version = version + 1
    WHERE session_no = p_session_no;
  ELSIF (convert_from(held, 'UTF8')::jsonb ->> 'act')::jsonb ->> 'digest' <> p_digest THEN
    RETURN 'another result of a final session';
  END IF;
  RETURN NULL;
END
$$;

-- The seals and final statements of a batch. p_seals: session_id, partition, offset, closes_at_ms,
-- sealed_at_ms, kid, signature (hex); p_finals: session_id, partition, offset, digest, statement
-- (hex). Signatures were verified by the worker. The first seal of a session in a partition counts;
-- one for another closing time than the session's is no seal of it.
CREATE FUNCTION votes.judge_control(
  p_region_no smallint,
  p_partitions smallint[],
  p_next bigint[],
  p_seals jsonb,
  p_finals jsonb,
  OUT control integer,
  OUT quarantined integer
)
LANGUAGE sql AS $$
  WITH seal AS MATERIALIZED (
    SELECT given.*, s.session_no, CASE
        WHEN s.session_no IS NULL THEN 'unknown session'
        WHEN date_trunc('milliseconds', s.closes_at) <> to_timestamp(closes_at_ms / 1000.0)
          THEN 'seal of another closing time'
      END AS reason
    FROM jsonb_to_recordset(p_seals) AS given(session_id uuid, partition smallint, "offset" bigint,
      closes_at_ms bigint, sealed_at_ms bigint, kid text, signature text)
    LEFT JOIN votes.voting_sessions s USING (session_id)
  ), kept AS (
    INSERT INTO votes.seals
      (session_no, region_no, partition, "offset", sealed_at, kid, signature)
    SELECT session_no, p_region_no, partition, "offset", to_timestamp(sealed_at_ms / 1000.0), kid,
      decode(signature, 'hex')
    FROM seal WHERE reason IS NULL ORDER BY session_no, partition, "offset"
    ON CONFLICT DO NOTHING
  ), known_final AS MATERIALIZED (
    SELECT given.*, s.session_no
    FROM jsonb_to_recordset(p_finals) AS given(session_id uuid, partition smallint,
      "offset" bigint, digest text, statement text)
    LEFT JOIN votes.voting_sessions s USING (session_id)
    ORDER BY s.session_no, partition, "offset"
  ), final AS MATERIALIZED (
    SELECT known_final.*, CASE
        WHEN session_no IS NULL THEN 'unknown session'
        ELSE votes.keep_final(session_no, decode(statement, 'hex'), digest)
      END AS reason
    FROM known_final
  ), ended AS (
    SELECT session_id, coalesce(session_no, 0) AS session_no, partition, "offset", reason FROM seal
    UNION ALL
    SELECT session_id, coalesce(session_no, 0), partition, "offset", reason FROM final
  ), quarantine AS (
    INSERT INTO votes.quarantined_records (region_no, partition, "offset", session_id, reason)
    SELECT p_region_no, partition, "offset", session_id, reason FROM ended
    WHERE reason IS NOT NULL
  ), verdict AS (
    INSERT INTO votes.verdicts AS v
      (session_no, region_no, partition, control, quarantined, next_offset, first_offset)
    SELECT session_no, p_region_no, ended.partition, count(*) FILTER (WHERE reason IS NULL),
      count(*) FILTER (WHERE reason IS NOT NULL), min(reached.next_offset), min(ended."offset")
    FROM ended JOIN unnest(p_partitions, p_next) AS reached(partition, next_offset)
      ON reached.partition = ended.partition
    GROUP BY session_no, ended.partition
    ON CONFLICT (session_no, region_no, partition) DO UPDATE SET
      control = v.control + excluded.control,
      quarantined = v.quarantined + excluded.quarantined,
      next_offset = excluded.next_offset,
      first_offset = least(v.first_offset, excluded.first_offset)
  )
  SELECT count(*) FILTER (WHERE reason IS NULL)::integer,
    count(*) FILTER (WHERE reason IS NOT NULL)::integer
  FROM ended;
$$;

-- Called every second by each worker. Each may hold ceil(partitions / live workers); a worker with
-- more gives the rest back, one with fewer takes what is free or expired. Gives the epoch, and the
-- partitions held with where each starts (one row without a partition when none is held). A
-- partition that was added to the log is taken like any other. A standby has offsets from the start
-- and leases only once it is read. A log with another cluster or topic id than the one the offsets
-- belong to is an error: its offsets name other records.
CREATE FUNCTION votes.lease_partitions(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  p_partitions integer,
  p_worker uuid,
  p_ttl_ms integer,
  p_epoch_min integer
) RETURNS TABLE (epoch integer, partition smallint, next_offset bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_at timestamptz := clock_timestamp();
  until timestamptz := now_at + make_interval(secs => p_ttl_ms / 1000.0);
  held_epoch integer;
  share integer;
  stranger votes.offsets;
BEGIN
  -- One worker at a time a region; the next sees what this one took.
  PERFORM pg_advisory_xact_lock(hashtext('votes.leases'), p_region_no);

  INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
  SELECT p_region_no, number, p_cluster_id, p_topic_id
  FROM generate_series(0, p_partitions - 1) AS number
  WHERE NOT EXISTS (
    SELECT FROM votes.regions WHERE region_no = p_region_no AND lost_at IS NOT NULL)
  ON CONFLICT DO NOTHING;
  SELECT * INTO stranger FROM votes.offsets
  WHERE region_no = p_region_no AND (cluster_id, topic_id) <> (p_cluster_id, p_topic_id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'offsets of partition % belong to cluster % topic %, not to cluster % topic %',
      stranger.partition, stranger.cluster_id, stranger.topic_id, p_cluster_id, p_topic_id;
  END IF;
  IF EXISTS (
    SELECT FROM votes.regions r JOIN votes.regions origin ON origin.region_no = r.stands_for
    WHERE r.region_no = p_region_no AND origin.lost_at IS NULL
  ) THEN
    RETURN QUERY SELECT epoch, NULL::smallint, NULL::bigint FROM votes.epoch;
    RETURN;
  END IF;
  held_epoch := votes.refuse_old_or_unread(p_region_no, p_epoch_min);

  INSERT INTO votes.workers (region_no, worker, expires_at) VALUES (p_region_no, p_worker, until)
  ON CONFLICT (region_no, worker) DO UPDATE SET expires_at = excluded.expires_at;
  DELETE FROM votes.workers WHERE region_no = p_region_no AND expires_at < now_at;
  SELECT ceil(p_partitions::numeric / count(*)) INTO share
  FROM votes.workers WHERE region_no = p_region_no;

  DELETE FROM votes.leases
  WHERE region_no = p_region_no AND partition IN (
    SELECT partition FROM votes.leases
    WHERE region_no = p_region_no AND worker = p_worker
    ORDER BY partition OFFSET share);
  INSERT INTO votes.leases (region_no, partition, worker, expires_at)
  SELECT p_region_no, number, p_worker, until
  FROM generate_series(0, p_partitions - 1) AS number
  LEFT JOIN votes.leases held ON held.region_no = p_region_no AND held.partition = number
  WHERE held.worker IS NULL OR held.worker = p_worker OR held.expires_at < now_at
  ORDER BY (held.worker = p_worker) DESC NULLS LAST, number
  LIMIT share
  ON CONFLICT (region_no, partition)
  DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at;

  RETURN QUERY
  SELECT held_epoch, held.partition, held.next_offset
  FROM (SELECT) AS one_row
  LEFT JOIN (
    SELECT o.partition, o.next_offset
    FROM votes.leases l
    JOIN votes.offsets o ON o.region_no = l.region_no AND o.partition = l.partition
    WHERE l.region_no = p_region_no AND l.worker = p_worker
  ) AS held ON true
  ORDER BY held.partition;
END
$$;

CREATE INDEX voting_sessions_to_settle ON votes.voting_sessions (closes_at)
  WHERE sealed_at IS NULL;

-- The number of a standby log: the copies of p_region's votes that p_host holds.
CREATE FUNCTION votes.standby_no(p_region text, p_host text) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  origin smallint := votes.region_no(p_region);
BEGIN
  INSERT INTO votes.regions (region, stands_for)
  SELECT p_region || '@' || p_host, origin
  WHERE NOT EXISTS (SELECT FROM votes.regions WHERE region = p_region || '@' || p_host)
  ON CONFLICT DO NOTHING;
  RETURN (SELECT region_no FROM votes.regions WHERE region = p_region || '@' || p_host);
END
$$;

-- Sessions closed for at least p_closed_for_ms by this database's clock, with the partitions of
-- those given that no seal of theirs was read in. Closing times cannot change any more then.
CREATE FUNCTION votes.unsealed(
  p_region_no smallint,
  p_partitions smallint[],
  p_closed_for_ms integer
) RETURNS TABLE (session_id uuid, version integer, closes_at timestamptz, partitions smallint[])
LANGUAGE sql STABLE AS $$
  SELECT s.session_id, s.version, s.closes_at, array_agg(held.partition ORDER BY held.partition)
  FROM votes.voting_sessions s
  CROSS JOIN unnest(p_partitions) AS held(partition)
  LEFT JOIN votes.seals seal ON seal.session_no = s.session_no AND seal.region_no = p_region_no
    AND seal.partition = held.partition
  WHERE s.sealed_at IS NULL AND seal.session_no IS NULL
    AND s.closes_at <= clock_timestamp() - make_interval(secs => p_closed_for_ms / 1000.0)
  GROUP BY s.session_no
  ORDER BY s.closes_at LIMIT 1000
$$;

-- True when every partition of every log that is read was read through the session's seal. A log
-- that nobody has begun to read is not sealed.
CREATE FUNCTION votes.is_read_through(p_session_no integer) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM votes.seals WHERE session_no = p_session_no)
    AND NOT EXISTS (
      SELECT FROM votes.live_logs log
      LEFT JOIN votes.offsets place USING (region_no)
      LEFT JOIN votes.seals seal ON seal.session_no = p_session_no
        AND seal.region_no = log.region_no AND seal.partition = place.partition
      WHERE seal.session_no IS NULL)
$$;

-- Settles one session: the winner among a voter's records is the one with the smallest
-- (accepted_at, option_id), a function of the records alone, whatever order they were read in. The
-- loser of a row takes the winner's place among the conflicts, so that nothing is forgotten. Votes
-- taken out stay out. Gives how many options changed. The caller holds the session's row.
CREATE FUNCTION votes.settle_session(p_session_no integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  options_moved bigint;
BEGIN
  WITH option AS MATERIALIZED (
    SELECT (place - 1)::smallint AS option_no, entry ->> 'option_id' AS option_id
    FROM votes.voting_sessions, jsonb_array_elements(options) WITH ORDINALITY AS o(entry, place)
    WHERE session_no = p_session_no
  ), held AS MATERIALIZED (
    SELECT v.* FROM votes.votes v
    WHERE v.session_no = p_session_no AND v.vote_id IN (
      SELECT vote_id FROM votes.vote_conflicts WHERE session_no = p_session_no)
  ), winner AS MATERIALIZED (
    SELECT DISTINCT ON (vote_id) record.*
    FROM (
      SELECT vote_id, option_no, accepted_at, region_no, partition, "offset" FROM held
      UNION ALL
      SELECT vote_id, option_no, accepted_at, region_no, partition, "offset"
      FROM votes.vote_conflicts WHERE session_no = p_session_no
    ) AS record
    JOIN option USING (option_no)
    ORDER BY vote_id, accepted_at, option_id COLLATE "C", region_no, partition, "offset"
  ), change AS MATERIALIZED (
    SELECT winner.*, held.option_no AS was, void.vote_id IS NULL AS counts
    FROM winner
    JOIN held USING (vote_id)
    LEFT JOIN votes.void_votes void
      ON void.session_no = p_session_no AND void.vote_id = winner.vote_id
    WHERE (winner.option_no, winner.accepted_at) <> (held.option_no, held.accepted_at)
  ), ousted AS (
    INSERT INTO votes.vote_conflicts
      (session_no, vote_id, region_no, partition, "offset", option_no, accepted_at)
    SELECT p_session_no, held.vote_id, held.region_no, held.partition, held."offset",
      held.option_no, held.accepted_at
    FROM held JOIN change USING (vote_id)
    ON CONFLICT DO NOTHING
  ), changed AS (
    UPDATE votes.votes v
    SET option_no = change.option_no, accepted_at = change.accepted_at,
      region_no = change.region_no, partition = change.partition, "offset" = change."offset"
    FROM change WHERE v.session_no = p_session_no AND v.vote_id = change.vote_id
  ), move AS (
    SELECT option_no, sum(votes) AS votes
    FROM (
      SELECT option_no, 1 AS votes FROM change WHERE counts AND option_no <> was
      UNION ALL
      SELECT was, -1 FROM change WHERE counts AND option_no <> was
    ) AS step
    GROUP BY option_no
  ), moved AS (
    INSERT INTO votes.tallies AS t (session_no, option_no, region_no, partition, votes)
    SELECT p_session_no, option_no, 0, -1, votes FROM move WHERE votes <> 0 ORDER BY option_no
    ON CONFLICT (session_no, option_no, region_no, partition)
    DO UPDATE SET votes = t.votes + excluded.votes
  )
  SELECT count(*) INTO options_moved FROM change WHERE option_no <> was;
  RETURN options_moved;
END
$$;

-- Settles every session that was read through its seals, each once. Safe to call by several.
CREATE FUNCTION votes.settle() RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  due record;
BEGIN
  FOR due IN
    SELECT s.session_no, s.session_id FROM votes.voting_sessions s
    WHERE s.sealed_at IS NULL AND s.closes_at < clock_timestamp()
      AND votes.is_read_through(s.session_no)
    ORDER BY s.session_no FOR UPDATE
  LOOP
    INSERT INTO votes.corrections (session_no, kind, moved)
    VALUES (due.session_no, 'seal', votes.settle_session(due.session_no));
    UPDATE votes.voting_sessions SET sealed_at = clock_timestamp(), version = version + 1
    WHERE session_no = due.session_no;
    RETURN NEXT due.session_id;
  END LOOP;
END
$$;

-- The digest of what counts, as contracts/digest.ts makes it, in hex.
CREATE FUNCTION votes.result_digest(p_session_no integer) RETURNS text
LANGUAGE sql STABLE AS $$
  WITH option AS MATERIALIZED (
    SELECT (place - 1)::smallint AS option_no,
      int2send(octet_length(convert_to(entry ->> 'option_id', 'UTF8'))::smallint)
        || convert_to(entry ->> 'option_id', 'UTF8') AS bytes
    FROM votes.voting_sessions, jsonb_array_elements(options) WITH ORDINALITY AS o(entry, place)
    WHERE session_no = p_session_no
  ), bucket AS (
    SELECT substr(uuid_send(v.vote_id), 1, 2) AS number,
      sha256(string_agg(
        uuid_send(v.vote_id) || option.bytes
          || int8send((extract(epoch FROM v.accepted_at) * 1000)::bigint),
        '' ORDER BY v.vote_id)) AS digest
    FROM votes.votes v
    JOIN option USING (option_no)
    LEFT JOIN votes.void_votes void
      ON void.session_no = v.session_no AND void.vote_id = v.vote_id
    WHERE v.session_no = p_session_no AND void.vote_id IS NULL
    GROUP BY 1
  )
  SELECT encode(sha256(coalesce(string_agg(number || digest, '' ORDER BY number), '')), 'hex')
  FROM bucket
$$;

-- What the database itself gives for a session: the digest and counts of the rows, and the tallies,
-- each by option number.
CREATE FUNCTION votes.recount(
  p_session_no integer,
  OUT digest text,
  OUT rows bigint[],
  OUT tallies bigint[]
)
LANGUAGE sql STABLE AS $$
  WITH option AS (
    SELECT generate_series(0, jsonb_array_length(options) - 1)::smallint AS option_no
    FROM votes.voting_sessions WHERE session_no = p_session_no
  ), counted AS (
    SELECT v.option_no, count(*) AS votes
    FROM votes.votes v
    LEFT JOIN votes.void_votes void
      ON void.session_no = v.session_no AND void.vote_id = v.vote_id
    WHERE v.session_no = p_session_no AND void.vote_id IS NULL
    GROUP BY v.option_no
  ), tallied AS (
    SELECT t.option_no, sum(t.votes)::bigint AS votes FROM votes.tallies t
    WHERE t.session_no = p_session_no GROUP BY t.option_no
  )
  SELECT votes.result_digest(p_session_no),
    array_agg(coalesce(counted.votes, 0) ORDER BY option_no),
    array_agg(coalesce(tallied.votes, 0) ORDER BY option_no)
  FROM option LEFT JOIN counted USING (option_no) LEFT JOIN tallied USING (option_no)
$$;

REVOKE ALL ON FUNCTION votes.keep_final, votes.judge_control, votes.lease_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.keep_final, votes.judge_control, votes.lease_partitions TO ledger;
REVOKE ALL ON FUNCTION votes.standby_no, votes.unsealed, votes.is_read_through,
  votes.settle_session, votes.settle, votes.result_digest, votes.recount FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.standby_no, votes.unsealed, votes.settle TO ledger;
GRANT EXECUTE ON FUNCTION votes.result_digest, votes.recount TO ledger, records, portal;
GRANT EXECUTE ON FUNCTION votes.is_read_through TO ledger, records, portal, publisher;
