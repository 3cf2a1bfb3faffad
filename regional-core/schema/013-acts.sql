-- What two people decided is carried out here, in the transaction that writes the second signature.
-- Two people are two only when different first admins stand behind them: whoever makes an account
-- chooses its first password, and could sign as its owner. Acts about one session are carried out
-- one after the other. The portal writes nothing of this but by these functions.

-- Why what a body asks for cannot be done now; null when it can. The caller has read the body by
-- its contract, and holds the session's row when it goes on to do it.
CREATE FUNCTION votes.act_refusal(p_body jsonb) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  session votes.voting_sessions;
  region votes.regions;
  counts jsonb;
BEGIN
  IF p_body ->> 'act' = 'declare_lost' THEN
    SELECT * INTO region FROM votes.regions
    WHERE regions.region = p_body ->> 'region' AND stands_for IS NULL;
    IF NOT FOUND THEN RETURN 'There is no such region.'; END IF;
    -- Lost already: harmless.
    IF region.lost_at IS NOT NULL THEN RETURN NULL; END IF;
    IF (SELECT epoch FROM votes.epoch) <> (p_body ->> 'epoch')::integer THEN
      RETURN 'The epoch is another one by now; look again at what would be lost.';
    END IF;
    IF (SELECT count(*) FROM votes.regions WHERE stands_for IS NULL AND lost_at IS NULL) < 2 THEN
      RETURN 'It is the last region that is left.';
    END IF;
    RETURN NULL;
  END IF;

  SELECT * INTO session FROM votes.voting_sessions
  WHERE session_id = (p_body ->> 'session_id')::uuid;
  IF NOT FOUND THEN RETURN 'There is no such session.'; END IF;
  IF session.final_at IS NOT NULL THEN RETURN 'The result of this session is final.'; END IF;
  IF session.sealed_at IS NULL THEN RETURN 'The session is not sealed yet.'; END IF;

  IF p_body ->> 'act' = 'finalise' THEN
    IF session.version <> (p_body ->> 'session_version')::integer THEN
      RETURN 'The session has another version by now; recount it.';
    END IF;
    SELECT jsonb_agg(coalesce(votes, 0) ORDER BY no) INTO counts
    FROM generate_series(0, jsonb_array_length(session.options) - 1) AS no
    LEFT JOIN (
      SELECT option_no, sum(votes)::bigint AS votes FROM votes.tallies
      WHERE session_no = session.session_no GROUP BY option_no
    ) AS tally ON tally.option_no = no;
    IF counts <> p_body -> 'counts' THEN
      RETURN 'The tallies say other counts by now; recount it.';
    END IF;
    RETURN NULL;
  END IF;

  -- Between its second signature and its record in the log a result must not change.
  IF EXISTS (
    SELECT FROM votes.acts
    WHERE kind = 'finalise' AND agreed_at IS NOT NULL
      AND body::jsonb ->> 'session_id' = session.session_id::text
      AND agreed_at > coalesce((
        SELECT max(corrected_at) FROM votes.corrections WHERE session_no = session.session_no
      ), '-infinity')
  ) THEN
    RETURN 'Two people have finalised this result; it is about to stand.';
  END IF;
  -- The same votes may be taken out again after they were put back: that is another act.
  IF (SELECT count(*) FROM votes.corrections WHERE session_no = session.session_no)
    IS DISTINCT FROM (p_body ->> 'corrections')::bigint THEN
    RETURN 'The counts were corrected otherwise by now; look again.';
  END IF;
  RETURN NULL;
END
$$;

-- Holds the session's row to the end of the transaction, and raises VT409 when what a body asks for
-- cannot be done now.
CREATE FUNCTION votes.hold_for_act(p_body jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  refusal text;
BEGIN
  PERFORM FROM votes.voting_sessions
  WHERE session_id = (p_body ->> 'session_id')::uuid FOR UPDATE;
  refusal := votes.act_refusal(p_body);
  IF refusal IS NOT NULL THEN
    RAISE EXCEPTION '%', refusal USING ERRCODE = 'VT409';
  END IF;
END
$$;

-- A region is lost: its offsets stay as they are, nobody reads its log again, the copies of its
-- votes are read in its place, and the epoch rises. Again for a lost one: nothing.
CREATE FUNCTION votes.declare_lost(p_region text, p_epoch integer, p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lost votes.regions;
BEGIN
  -- The epoch first: two acts at once are carried out one after the other.
  PERFORM FROM votes.epoch FOR UPDATE;
  SELECT * INTO lost FROM votes.regions
  WHERE region = p_region AND stands_for IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'There is no such region.' USING ERRCODE = 'VT409';
  END IF;
  IF lost.lost_at IS NOT NULL THEN RETURN; END IF;
  IF (SELECT epoch FROM votes.epoch) <> p_epoch THEN
    RAISE EXCEPTION 'The epoch is another one by now; look again at what would be lost.'
      USING ERRCODE = 'VT409';
  END IF;
  -- A batch under way holds these rows: it ends first, and the next one finds the region lost.
  PERFORM FROM votes.offsets WHERE region_no = lost.region_no ORDER BY partition FOR UPDATE;
  UPDATE votes.regions SET lost_at = clock_timestamp(), lost_by = p_act_hash
  WHERE region_no = lost.region_no;
  DELETE FROM votes.leases WHERE region_no = lost.region_no;
  DELETE FROM votes.workers WHERE region_no = lost.region_no;
  UPDATE votes.epoch SET epoch = epoch + 1;
END
$$;

-- Takes counted votes out (void) or puts them back (restore): the rows keep their places, the
-- counts move in the corrections' own tallies. Gives how many.
CREATE FUNCTION votes.void_or_restore(
  p_kind text,
  p_session_id uuid,
  p_vote_ids uuid[],
  p_act_hash bytea
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  session votes.voting_sessions;
  sign integer := CASE p_kind WHEN 'void' THEN -1 ELSE 1 END;
  moved bigint;
BEGIN
  SELECT * INTO session FROM votes.voting_sessions WHERE session_id = p_session_id FOR UPDATE;
  IF session.sealed_at IS NULL OR session.final_at IS NOT NULL THEN
    RAISE EXCEPTION 'Votes are taken out after the seal and before the final result.'
      USING ERRCODE = 'VT409';
  END IF;
  IF p_kind = 'void' THEN
    INSERT INTO votes.void_votes (session_no, vote_id, act_hash)
    SELECT session_no, vote_id, p_act_hash FROM votes.votes
    WHERE session_no = session.session_no AND vote_id = ANY (p_vote_ids)
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM votes.void_votes
    WHERE session_no = session.session_no AND vote_id = ANY (p_vote_ids);
  END IF;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> cardinality(p_vote_ids) THEN
    RAISE EXCEPTION '% of these % votes %.', cardinality(p_vote_ids) - moved,
      cardinality(p_vote_ids),
      CASE p_kind WHEN 'void' THEN 'do not count' ELSE 'are not taken out' END
      USING ERRCODE = 'VT409';
  END IF;
  INSERT INTO votes.tallies AS t (session_no, option_no, region_no, partition, votes)
  SELECT session.session_no, option_no, 0, -1, sign * count(*) FROM votes.votes
  WHERE session_no = session.session_no AND vote_id = ANY (p_vote_ids)
  GROUP BY option_no ORDER BY option_no
  ON CONFLICT (session_no, option_no, region_no, partition)
  DO UPDATE SET votes = t.votes + excluded.votes;
  INSERT INTO votes.corrections (session_no, kind, act_hash, moved, corrected_at)
  VALUES (session.session_no, p_kind, p_act_hash, moved, clock_timestamp());
  RETURN moved;
END
$$;

-- The first admin behind an account: itself, or who made it, or who made that one, and so on. Null
-- for an id of no account; and for one more than a hundred accounts away, so that a circle ends.
CREATE FUNCTION votes.first_admin_of(p_admin_id text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE line AS (
    SELECT admin_id, made_by, 0 AS steps FROM portal.admins WHERE admin_id::text = p_admin_id
    UNION ALL
    SELECT maker.admin_id, maker.made_by, steps + 1
    FROM line JOIN portal.admins maker ON maker.admin_id = line.made_by
    WHERE steps < 100
  )
  SELECT admin_id FROM line WHERE made_by IS NULL
$$;
REVOKE ALL ON FUNCTION votes.first_admin_of FROM PUBLIC;
-- Who reads a final statement in the log asks if two people signed it; it reads no accounts itself.
GRANT EXECUTE ON FUNCTION votes.first_admin_of TO ledger, records;

-- What two people are told who both come from this first admin: who else can sign.
CREATE FUNCTION votes.not_two_people(p_first_admin uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'Both signers'' accounts come from '
    || (SELECT email FROM portal.admins WHERE admin_id = p_first_admin)
    || coalesce(
      '. Another has to sign: ' || string_agg(email, ', ' ORDER BY created_at, email)
        || ', or somebody whose account comes from there.',
      ', and there is no other first admin: name a second one in the portal''s bootstrap file.'
    )
  FROM (
    SELECT email, created_at FROM portal.admins
    WHERE made_by IS NULL AND admin_id <> p_first_admin
    ORDER BY created_at, email LIMIT 5
  ) AS others
$$;
REVOKE ALL ON FUNCTION votes.not_two_people FROM PUBLIC;

-- Registers a person's public key; one that is there already, whosever it is, stays.
CREATE FUNCTION votes.register_approval_key(p_kid text, p_x text, p_admin_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM portal.admins WHERE admin_id::text = p_admin_id) THEN
    RAISE EXCEPTION 'There is no such account any more; log in again.' USING ERRCODE = 'VT409';
  END IF;
  INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES (p_kid, p_x, p_admin_id)
  ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION votes.register_approval_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.register_approval_key TO portal;

-- Writes what somebody proposes, once; again it stays as it is. Raises VT409 when it cannot be done
-- now. Its name is made here, and nothing of it is the caller's but the body.
CREATE FUNCTION votes.propose_act(p_body text, p_proposed_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hash bytea := sha256(convert_to(p_body, 'UTF8'));
  asked jsonb := p_body::jsonb;
BEGIN
  IF EXISTS (SELECT FROM votes.acts WHERE act_hash = hash) THEN RETURN; END IF;
  -- An act that is carried out at this moment ends first: this one is judged by what stands then.
  PERFORM votes.hold_for_act(asked);
  INSERT INTO votes.acts (act_hash, kind, body, proposed_by)
  VALUES (hash, asked ->> 'act', p_body, p_proposed_by) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION votes.propose_act FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.propose_act TO portal;

-- Carries out an act that two people signed, once. What it does follows from the body, whose hash
-- is its name; a final result is written by the ledger. The signatures themselves are verified by
-- who writes them, and again by whoever reads the final statement.
CREATE FUNCTION votes.carry_out(p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  act votes.acts;
  asked jsonb;
  first_admins uuid[];
BEGIN
  SELECT * INTO act FROM votes.acts WHERE act_hash = p_act_hash FOR UPDATE;
  IF act.agreed_at IS NOT NULL THEN RETURN; END IF;
  IF sha256(convert_to(act.body, 'UTF8')) IS DISTINCT FROM p_act_hash THEN
    RAISE EXCEPTION 'This act is not what its name says.' USING ERRCODE = 'VT409';
  END IF;
  IF (SELECT count(DISTINCT s.admin_id) < 2 OR count(DISTINCT s.kid) < 2
      FROM votes.act_signatures s
      JOIN votes.approval_keys k ON k.kid = s.kid AND k.admin_id = s.admin_id
      WHERE s.act_hash = p_act_hash) THEN
    RAISE EXCEPTION 'Two people have to sign.' USING ERRCODE = 'VT409';
  END IF;
  SELECT array_agg(DISTINCT votes.first_admin_of(admin_id)) INTO first_admins
  FROM votes.act_signatures WHERE act_hash = p_act_hash;
  IF array_position(first_admins, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'No first admin stands behind an account that has signed; nothing is agreed.'
      USING ERRCODE = 'VT409';
  END IF;
  IF cardinality(first_admins) < 2 THEN
    RAISE EXCEPTION '%', votes.not_two_people(first_admins[1]) USING ERRCODE = 'VT409';
  END IF;
  asked := act.body::jsonb;
  -- Held to the end: of two acts about one session the second is judged by what the first has done.
  PERFORM votes.hold_for_act(asked);
  IF act.kind = 'declare_lost' THEN
    PERFORM votes.declare_lost(asked ->> 'region', (asked ->> 'epoch')::integer, p_act_hash);
  ELSIF act.kind IN ('void', 'restore') THEN
    PERFORM votes.void_or_restore(act.kind, (asked ->> 'session_id')::uuid,
      ARRAY(SELECT jsonb_array_elements_text(asked -> 'vote_ids')::uuid), p_act_hash);
  END IF;
  UPDATE votes.acts SET agreed_at = clock_timestamp() WHERE act_hash = p_act_hash;
END
$$;

-- Writes a person's signature, verified by the caller; the second person's carries the act out in
-- the same transaction. Gives how it stands: agreed now or before, waiting for somebody else, or
-- signed by this person before. A refusal takes the signature back with it.
CREATE FUNCTION votes.sign_act(
  p_act_hash bytea,
  p_admin_id text,
  p_kid text,
  p_signature bytea
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  act votes.acts;
BEGIN
  SELECT * INTO act FROM votes.acts WHERE act_hash = p_act_hash FOR UPDATE;
  -- Two signatures make an act: a third would make it another statement.
  IF act.agreed_at IS NOT NULL THEN RETURN 'agreed_before'; END IF;
  IF NOT EXISTS (
    SELECT FROM votes.approval_keys WHERE kid = p_kid AND admin_id = p_admin_id
  ) THEN
    RAISE EXCEPTION 'This key is not registered by this person.' USING ERRCODE = 'VT409';
  END IF;
  -- As the first signature, too: nobody's would stay, and keep two people from agreeing.
  IF votes.first_admin_of(p_admin_id) IS NULL THEN
    RAISE EXCEPTION 'No first admin stands behind this account; it decides nothing.'
      USING ERRCODE = 'VT409';
  END IF;
  INSERT INTO votes.act_signatures (act_hash, admin_id, kid, signature)
  VALUES (p_act_hash, p_admin_id, p_kid, p_signature) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'signed_before'; END IF;
  IF (SELECT count(*) < 2 FROM votes.act_signatures WHERE act_hash = p_act_hash) THEN
    RETURN 'waiting';
  END IF;
  PERFORM votes.carry_out(p_act_hash);
  RETURN 'agreed';
END
$$;

REVOKE ALL ON FUNCTION votes.act_refusal, votes.hold_for_act, votes.declare_lost,
  votes.void_or_restore, votes.carry_out, votes.sign_act FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.sign_act TO portal;
