-- One login role a service. None of them owns anything: tables belong to whoever migrates.
-- No role reads both who the voters are (schema identity) and what was chosen (schema votes).
DO $$
DECLARE
  service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['identity', 'ledger', 'publisher', 'records', 'portal'] LOOP
    -- Roles belong to the cluster, migrations to one database in it.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', service);
    END IF;
  END LOOP;
EXCEPTION
  -- Two databases of one cluster may be migrated at the same moment.
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA identity;
CREATE SCHEMA votes;
CREATE SCHEMA portal;

GRANT USAGE ON SCHEMA identity TO identity;
GRANT USAGE ON SCHEMA votes TO identity, ledger, publisher, records, portal;
GRANT USAGE ON SCHEMA portal TO portal;
