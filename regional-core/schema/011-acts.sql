-- What two people decided is carried out here, in the transaction that writes the second signature;
-- and what nobody may change any more.
--
-- SQLSTATE VT409 is a refusal for people: its message is a sentence that they read.

-- The text that people vote on, who may vote and the beginning stand from opening on; an end that
-- has passed is not moved to later; a seal and a final statement are not taken back.
CREATE FUNCTION votes.keep_frozen() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.session_no, NEW.session_id) <> (OLD.session_no, OLD.session_id) THEN
    RAISE EXCEPTION 'A session keeps its id.' USING ERRCODE = 'VT409';
  END IF;
  IF OLD.opens_at <= clock_timestamp() AND (NEW.opens_at > OLD.opens_at
    OR (NEW.title, NEW.options, NEW.eligibility)
      IS DISTINCT FROM (OLD.title, OLD.options, OLD.eligibility)) THEN
    RAISE EXCEPTION 'Title, options, eligibility and opening are frozen once voting has opened.'
      USING ERRCODE = 'VT409';
  END IF;
  IF OLD.closes_at <= clock_timestamp() AND NEW.closes_at > OLD.closes_at THEN
    RAISE EXCEPTION 'Voting has closed and does not open again.' USING ERRCODE = 'VT409';
  END IF;
  IF OLD.sealed_at IS NOT NULL AND NEW.sealed_at IS DISTINCT FROM OLD.sealed_at THEN
    RAISE EXCEPTION 'A session is sealed once.' USING ERRCODE = 'VT409';
  END IF;
  IF OLD.final_at IS NOT NULL AND (NEW.final_at, NEW.final_statement)
    IS DISTINCT FROM (OLD.final_at, OLD.final_statement) THEN
    RAISE EXCEPTION 'A final result stays as it is.' USING ERRCODE = 'VT409';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER keep_frozen BEFORE UPDATE ON votes.voting_sessions
  FOR EACH ROW EXECUTE FUNCTION votes.keep_frozen();

-- Why what a body asks for cannot be done now; null when it can. The caller has read the body by
-- its contract.
CREATE FUNCTION votes.act_refusal(p_body jsonb) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
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
  RETURN NULL;
END
$$;

-- A region is lost: its offsets stay as they are, nobody reads its log again, the copies of its
-- votes are read in its place, and the epoch rises. Again for a lost one: nothing.
CREATE FUNCTION votes.declare_lost(p_region text, p_epoch integer, p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
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
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
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

-- Carries out an act that two people signed, once. What it does follows from the body, whose hash
-- is its name; a final result is written by the ledger. The signatures themselves are verified by
-- who writes them, and again by whoever reads the final statement.
CREATE FUNCTION votes.carry_out(p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  act votes.acts;
  asked jsonb;
  refusal text;
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
  asked := act.body::jsonb;
  refusal := votes.act_refusal(asked);
  IF refusal IS NOT NULL THEN
    RAISE EXCEPTION '%', refusal USING ERRCODE = 'VT409';
  END IF;
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
CREATE FUNCTION votes.sign_act(p_act_hash bytea, p_admin_id text, p_kid text, p_signature bytea)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
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

REVOKE ALL ON FUNCTION votes.act_refusal, votes.declare_lost, votes.void_or_restore,
  votes.carry_out, votes.sign_act FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.act_refusal, votes.sign_act TO portal;

-- Only sign_act writes signatures and says that an act was agreed.
REVOKE UPDATE (agreed_at) ON votes.acts FROM portal;
REVOKE INSERT ON votes.act_signatures FROM portal;
CREATE INDEX acts_by_time ON votes.acts (proposed_at DESC);
