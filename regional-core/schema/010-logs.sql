-- Which logs there are, and who reads which of their partitions.

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

-- The number of a standby log: the copies of p_region's votes that p_host holds.
CREATE FUNCTION votes.standby_no(p_region text, p_host text) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  origin smallint := votes.region_no(p_region);
BEGIN
  INSERT INTO votes.regions (region, stands_for)
  SELECT p_region || '@' || p_host, origin
  WHERE NOT EXISTS (SELECT FROM votes.regions WHERE region = p_region || '@' || p_host)
  ON CONFLICT DO NOTHING;
  RETURN (SELECT region_no FROM votes.regions WHERE region = p_region || '@' || p_host);
END
$$;

-- Called every second by each worker. Each may hold ceil(partitions / live workers); a worker with
-- more gives the rest back, one with fewer takes what is free or expired. Gives the epoch, and the
-- partitions held with where each starts (one row without a partition when none is held). A
-- partition that was added to the log is taken like any other. A standby has offsets from the start
-- and leases only once it is read. A log with another cluster or topic id than the one the offsets
-- belong to is an error: its offsets name other records. p_layout_at_ms: when the log was found to
-- have p_partitions partitions; a clock ahead of this database's proves nothing about the time to
-- come.
CREATE FUNCTION votes.lease_partitions(
  p_region_no smallint,
  p_cluster_id text,
  p_topic_id uuid,
  p_partitions integer,
  p_worker uuid,
  p_ttl_ms integer,
  p_epoch_min integer,
  p_layout_at_ms bigint
) RETURNS TABLE (epoch integer, partition smallint, next_offset bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_at timestamptz := clock_timestamp();
  until timestamptz := now_at + make_interval(secs => p_ttl_ms / 1000.0);
  read_at timestamptz := least(to_timestamp(p_layout_at_ms / 1000.0), now_at);
  held_epoch integer;
  share integer;
  stranger votes.offsets;
BEGIN
  UPDATE votes.regions SET layout_read_at = read_at
  WHERE region_no = p_region_no AND lost_at IS NULL
    AND coalesce(layout_read_at < read_at, true);
  -- One worker at a time a region; the next sees what this one took.
  PERFORM pg_advisory_xact_lock(hashtext('votes.leases'), p_region_no);

  INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
  SELECT p_region_no, number, p_cluster_id, p_topic_id
  FROM generate_series(0, p_partitions - 1) AS number
  WHERE NOT EXISTS (
    SELECT FROM votes.regions WHERE region_no = p_region_no AND lost_at IS NOT NULL)
  ON CONFLICT DO NOTHING;
  SELECT * INTO stranger FROM votes.offsets
  WHERE region_no = p_region_no AND (cluster_id, topic_id) <> (p_cluster_id, p_topic_id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'offsets of partition % belong to cluster % topic %, not to cluster % topic %',
      stranger.partition, stranger.cluster_id, stranger.topic_id, p_cluster_id, p_topic_id;
  END IF;
  IF EXISTS (
    SELECT FROM votes.regions r JOIN votes.regions origin ON origin.region_no = r.stands_for
    WHERE r.region_no = p_region_no AND origin.lost_at IS NULL
  ) THEN
    RETURN QUERY SELECT epoch, NULL::smallint, NULL::bigint FROM votes.epoch;
    RETURN;
  END IF;
  held_epoch := votes.refuse_old_or_unread(p_region_no, p_epoch_min);

  INSERT INTO votes.workers (region_no, worker, expires_at) VALUES (p_region_no, p_worker, until)
  ON CONFLICT (region_no, worker) DO UPDATE SET expires_at = excluded.expires_at;
  DELETE FROM votes.workers WHERE region_no = p_region_no AND expires_at < now_at;
  SELECT ceil(p_partitions::numeric / count(*)) INTO share
  FROM votes.workers WHERE region_no = p_region_no;

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
  SELECT held_epoch, held.partition, held.next_offset
  FROM (SELECT) AS one_row
  LEFT JOIN (
    SELECT o.partition, o.next_offset
    FROM votes.leases l
    JOIN votes.offsets o ON o.region_no = l.region_no AND o.partition = l.partition
    WHERE l.region_no = p_region_no AND l.worker = p_worker
  ) AS held ON true
  ORDER BY held.partition;
END
$$;

REVOKE ALL ON FUNCTION votes.declare_logs, votes.standby_no, votes.lease_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION votes.declare_logs TO portal;
GRANT EXECUTE ON FUNCTION votes.standby_no, votes.lease_partitions TO ledger;
