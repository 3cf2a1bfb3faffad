-- Two people are two only when different first admins stand behind them: whoever makes an account
-- chooses its first password, and could sign as its owner. Replaces carry_out of 016 and sign_act
-- of 011; an approval key is registered by a function alone.

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
REVOKE INSERT ON votes.approval_keys FROM portal;

-- Carries out an act that two people signed, once. What it does follows from the body, whose hash
-- is its name; a final result is written by the ledger. The signatures themselves are verified by
-- who writes them, and again by whoever reads the final statement.
CREATE OR REPLACE FUNCTION votes.carry_out(p_act_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  act votes.acts;
  asked jsonb;
  refusal text;
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

-- Writes a person's signature, verified by the caller; the second person's carries the act out in
-- the same transaction. Gives how it stands: agreed now or before, waiting for somebody else, or
-- signed by this person before. A refusal takes the signature back with it.
CREATE OR REPLACE FUNCTION votes.sign_act(
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
