-- What nobody may change any more, and what only with notice.
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

-- A closing brought forward takes effect 10 s ahead by the database's clock, whatever the portal's
-- says: an intake that has not heard of it yet must not answer votes that are late.
CREATE FUNCTION votes.give_notice() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- In whole milliseconds, as every message tells it; a closing nearer than that stays.
  NEW.closes_at := least(
    OLD.closes_at,
    date_trunc(
      'milliseconds',
      greatest(NEW.closes_at, clock_timestamp() + interval '10.001 seconds')
    )
  );
  RETURN NEW;
END
$$;
-- Whoever owns the database may do more: tests, and people who mend by hand.
CREATE TRIGGER give_notice BEFORE UPDATE OF closes_at ON votes.voting_sessions
  FOR EACH ROW WHEN (current_user = 'portal' AND NEW.closes_at < OLD.closes_at)
  EXECUTE FUNCTION votes.give_notice();
