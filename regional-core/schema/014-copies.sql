-- How far other copies of this database are: what must survive the loss of the writer is answered
-- only when enough of them have it. Reading the positions takes rights that no service has, so the
-- functions run as their owner, who on a managed server must be a member of pg_monitor.

-- A position behind everything committed until now. Aurora keeps positions of its own, in storage;
-- elsewhere it is the write-ahead log's, as a number of bytes.
CREATE FUNCTION votes.copies_mark() RETURNS numeric
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mark numeric;
BEGIN
  IF to_regproc('aurora_global_db_status') IS NOT NULL THEN
    -- The writer's row has no lag: -1.
    EXECUTE 'SELECT max(highest_lsn_written) FROM aurora_global_db_status()
             WHERE durability_lag_in_msec = -1' INTO mark;
    RETURN mark;
  END IF;
  -- Inserted, not written: a commit that waited for no disk lies before it too. The position may be
  -- that of a record still to come; the leases of each second bring one.
  RETURN pg_current_wal_insert_lsn() - '0/0'::pg_lsn;
END
$$;

-- How many copies have everything up to the mark: replayed there, so that it can be read after a
-- fail-over; on Aurora, written to the other region's storage.
CREATE FUNCTION votes.copies_with(p_mark numeric) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  copies integer;
BEGIN
  IF to_regproc('aurora_global_db_status') IS NOT NULL THEN
    EXECUTE 'SELECT count(*) FROM aurora_global_db_status()
             WHERE durability_lag_in_msec <> -1 AND highest_lsn_written >= $1'
      INTO copies USING p_mark;
    RETURN copies;
  END IF;
  SELECT count(*) INTO copies FROM pg_catalog.pg_stat_replication
  WHERE replay_lsn - '0/0'::pg_lsn >= p_mark;
  RETURN copies;
END
$$;

REVOKE ALL ON FUNCTION votes.copies_mark, votes.copies_with FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.copies_mark, votes.copies_with
  TO portal, identity, publisher;

-- A link in a mail did its work and was not answered yet, because the copies lag: it may be asked
-- for again. With the answer the row goes.
ALTER TABLE identity.registrations ADD COLUMN completed_at timestamptz;
GRANT UPDATE (completed_at, password_hash) ON identity.registrations TO identity;
