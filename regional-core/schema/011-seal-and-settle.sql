-- Seals and final statements as they are read; and from closing to a result: which sessions
-- still need seals, the one transaction that settles who won among a voter's records, the digest of
-- what counts.

-- Keeps a session's final statement; gives why it cannot be kept, NULL when it is. A session has
-- one result: the same once more changes nothing, another is refused.
CREATE FUNCTION votes.keep_final(p_session_no integer, p_statement bytea, p_digest text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

CREATE INDEX voting_sessions_to_settle ON votes.voting_sessions (closes_at)
  WHERE sealed_at IS NULL;

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
-- that nobody has begun to read is not sealed. Seals are written once no vote is answered any more:
-- a partition that was added before that is among those that a log was found to have afterwards.
CREATE FUNCTION votes.is_read_through(p_session_no integer) RETURNS boolean
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

-- Settles a session that was read through its seals, once; true when this call did. One that
-- somebody else is settling is left to them.
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

REVOKE ALL ON FUNCTION votes.keep_final, votes.judge_control FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.keep_final, votes.judge_control TO ledger;
REVOKE ALL ON FUNCTION votes.unsealed, votes.is_read_through,
  votes.settle_session, votes.settle, votes.result_digest, votes.recount FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.unsealed, votes.settle TO ledger;
GRANT EXECUTE ON FUNCTION votes.result_digest, votes.recount TO ledger, records, portal;
GRANT EXECUTE ON FUNCTION votes.is_read_through TO ledger, records, portal, publisher;
