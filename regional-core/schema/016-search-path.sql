-- A schema of temporary tables is searched first unless it is named: a caller's own table would
-- stand for one of ours. Later functions name it themselves; nobody makes temporary tables here.
ALTER FUNCTION votes.create_vote_table SET search_path = pg_catalog, pg_temp;
DO $$
BEGIN
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
