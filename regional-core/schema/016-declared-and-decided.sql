-- Logs are declared before anything is read of them, so that a session waits for a region that was
-- never heard of here; acts about one session are carried out one after the other; an act is
-- proposed by a function alone. Replaces act_refusal and carry_out of 011.

-- Makes the logs known that there are: regions, and standbys as region@host. Known ones stay as
-- they are, lost ones too.
CREATE FUNCTION votes.declare_logs(p_logs text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO votes.regions (region)
  SELECT log FROM unnest(p_logs) WITH ORDINALITY AS declared(log, place)
  WHERE strpos(log, '@') = 0 AND NOT EXISTS (SELECT FROM votes.regions WHERE region = log)
  ORDER BY place ON CONFLICT DO NOTHING;
  INSERT INTO votes.regions (region, stands_for)
  SELECT log, origin.region_no
  FROM unnest(p_logs) WITH ORDINALITY AS declared(log, place)
  JOIN votes.regions origin ON origin.region = split_part(log, '@', 1)
  WHERE strpos(log, '@') > 0 AND NOT EXISTS (SELECT FROM votes.regions WHERE region = log)
  ORDER BY place ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION votes.declare_logs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.declare_logs TO portal;

-- Who made an account knows its first password: the two are not two people.
ALTER TABLE portal.admins ADD COLUMN made_by uuid REFERENCES portal.admins;

-- What a body does and what it is listed as are the same.
ALTER TABLE votes.acts ADD CONSTRAINT kind_is_of_body CHECK (kind = (body::jsonb ->> 'act'));

-- Why what a body asks for cannot be done now; null when it can. The caller has read the body by
-- its contract, and holds the session's row when it goes on to do it.
CREATE OR REPLACE FUNCTION votes.act_refusal(p_body jsonb) RETURNS text
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
REVOKE ALL ON FUNCTION votes.act_refusal FROM portal;

-- Writes what somebody proposes, once; again it stays as it is. Raises VT409 when it cannot be done
-- now. Its name is made here, and nothing of it is the caller's but the body.
CREATE FUNCTION votes.propose_act(p_body text, p_proposed_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hash bytea := sha256(convert_to(p_body, 'UTF8'));
  asked jsonb := p_body::jsonb;
  refusal text;
BEGIN
  IF EXISTS (SELECT FROM votes.acts WHERE act_hash = hash) THEN RETURN; END IF;
  -- An act that is carried out at this moment ends first: this one is judged by what stands then.
  PERFORM FROM votes.voting_sessions
  WHERE session_id = (asked ->> 'session_id')::uuid FOR UPDATE;
  refusal := votes.act_refusal(asked);
  IF refusal IS NOT NULL THEN
    RAISE EXCEPTION '%', refusal USING ERRCODE = 'VT409';
  END IF;
  INSERT INTO votes.acts (act_hash, kind, body, proposed_by)
  VALUES (hash, asked ->> 'act', p_body, p_proposed_by) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION votes.propose_act FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.propose_act TO portal;
REVOKE INSERT ON votes.acts FROM portal;

-- Carries out an act that two people signed, once. What it does follows from the body, whose hash
-- is its name; a final result is written by the ledger. The signatures themselves are verified by
-- who writes them, and again by whoever reads the final statement.
CREATE OR REPLACE FUNCTION votes.carry_out(p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
  IF EXISTS (
    SELECT FROM votes.act_signatures s
    JOIN portal.admins made ON made.admin_id::text = s.admin_id
    JOIN votes.act_signatures maker
      ON maker.act_hash = s.act_hash AND maker.admin_id = made.made_by::text
    WHERE s.act_hash = p_act_hash
  ) THEN
    RAISE EXCEPTION 'One of you made the account of the other; somebody else has to sign.'
      USING ERRCODE = 'VT409';
  END IF;
  asked := act.body::jsonb;
  -- Held to the end: of two acts about one session the second is judged by what the first has done.
  PERFORM FROM votes.voting_sessions
  WHERE session_id = (asked ->> 'session_id')::uuid FOR UPDATE;
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

-- A schema of temporary tables is searched first unless it is named: a caller's own table would
-- stand for one of these. Nobody makes temporary tables here.
DO $$
DECLARE
  privileged regprocedure;
BEGIN
  FOR privileged IN
    SELECT p.oid FROM pg_proc p
    WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('votes', 'identity', 'portal')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', privileged);
  END LOOP;
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
