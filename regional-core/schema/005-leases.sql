-- Shares the partitions of a region's log among the workers that are alive, and renews.

-- Called every second by each worker. Each may hold ceil(partitions / live workers); a worker with
-- more gives the rest back, one with fewer takes what is free or expired. Gives the partitions held
-- and where each starts. A log with another cluster or topic id than the one the offsets belong to
-- is an error: its offsets name other records.
CREATE FUNCTION votes.lease_partitions(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  p_partitions integer,
  p_worker uuid,
  p_ttl_ms integer
) RETURNS TABLE (partition smallint, next_offset bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_at timestamptz := clock_timestamp();
  until timestamptz := now_at + make_interval(secs => p_ttl_ms / 1000.0);
  share integer;
  stranger votes.offsets;
BEGIN
  -- One worker at a time a region; the next sees what this one took.
  PERFORM pg_advisory_xact_lock(hashtext('votes.leases'), p_region_no);

  INSERT INTO votes.workers (region_no, worker, expires_at) VALUES (p_region_no, p_worker, until)
  ON CONFLICT (region_no, worker) DO UPDATE SET expires_at = excluded.expires_at;
  DELETE FROM votes.workers WHERE region_no = p_region_no AND expires_at < now_at;
  SELECT ceil(p_partitions::numeric / count(*)) INTO share
  FROM votes.workers WHERE region_no = p_region_no;

  INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
  SELECT p_region_no, number, p_cluster_id, p_topic_id
  FROM generate_series(0, p_partitions - 1) AS number
  ON CONFLICT DO NOTHING;
  SELECT * INTO stranger FROM votes.offsets
  WHERE region_no = p_region_no AND (cluster_id, topic_id) <> (p_cluster_id, p_topic_id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'offsets of partition % belong to cluster % topic %, not to cluster % topic %',
      stranger.partition, stranger.cluster_id, stranger.topic_id, p_cluster_id, p_topic_id;
  END IF;

  DELETE FROM votes.leases
  WHERE region_no = p_region_no AND partition IN (
    SELECT partition FROM votes.leases
    WHERE region_no = p_region_no AND worker = p_worker
    ORDER BY partition OFFSET share);
  INSERT INTO votes.leases (region_no, partition, worker, expires_at)
  SELECT p_region_no, number, p_worker, until
  FROM generate_series(0, p_partitions - 1) AS number
  LEFT JOIN votes.leases held ON held.region_no = p_region_no AND held.partition = number
  WHERE held.worker IS NULL OR held.worker = p_worker OR held.expires_at < now_at
  ORDER BY (held.worker = p_worker) DESC NULLS LAST, number
  LIMIT share
  ON CONFLICT (region_no, partition)
  DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at;

  RETURN QUERY
  SELECT o.partition, o.next_offset
  FROM votes.leases held
  JOIN votes.offsets o ON o.region_no = held.region_no AND o.partition = held.partition
  WHERE held.region_no = p_region_no AND held.worker = p_worker
  ORDER BY o.partition;
END
$$;

-- A worker that ends gives its partitions back at once.
CREATE FUNCTION votes.release_partitions(p_region_no smallint, p_worker uuid) RETURNS void
LANGUAGE sql AS $$
  DELETE FROM votes.leases WHERE region_no = p_region_no AND worker = p_worker;
  DELETE FROM votes.workers WHERE region_no = p_region_no AND worker = p_worker;
$$;

-- The number of a region, made on first use.
CREATE FUNCTION votes.region_no(p_region text) RETURNS smallint
LANGUAGE sql AS $$
  INSERT INTO votes.regions (region) SELECT p_region
  WHERE NOT EXISTS (SELECT FROM votes.regions WHERE region = p_region)
  ON CONFLICT DO NOTHING;
  SELECT region_no FROM votes.regions WHERE region = p_region;
$$;

REVOKE ALL ON FUNCTION votes.lease_partitions, votes.release_partitions, votes.region_no
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.lease_partitions, votes.release_partitions TO ledger;
GRANT EXECUTE ON FUNCTION votes.region_no TO ledger, records;
