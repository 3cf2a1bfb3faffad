-- A closing brought forward takes effect 10 s ahead by the database's clock, whatever the portal's
-- says: an intake that has not heard of it yet must not answer votes that are late.

-- 004 of 0.1.0 does not make it; what counts since 009 calls it.
CREATE FUNCTION votes.refuse_without_winner(p_vote_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  -- A record that was not inserted, has no winner and yet is in time and of a known option: the
  -- session changed between the two statements. The batch is rolled back, and counted by what
  -- holds then.
  RAISE EXCEPTION 'vote % was not counted and has no winner', p_vote_id;
END
$$;
REVOKE ALL ON FUNCTION votes.refuse_without_winner FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.refuse_without_winner TO ledger;

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

-- What is outstanding is asked where the logs are heard, votes or none.
GRANT SELECT ON votes.log_counts TO portal;
