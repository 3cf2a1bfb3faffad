-- From closing to a final result: logs that stand for others, seals, corrections, what two people
-- decided together, the final statement.

-- A log is what offsets are counted in: a region's own, named as the region, or a standby: the
-- copies of a region's votes that another region hosts, named region@host. A standby is read only
-- once the region it stands for was declared lost.
ALTER TABLE votes.regions
  ADD COLUMN stands_for smallint REFERENCES votes.regions,
  -- Never read again; its offsets stay as they are.
  ADD COLUMN lost_at timestamptz,
  ADD COLUMN lost_by bytea,
  -- When the log's partitions were last asked of its Kafka, by the clock of who asked less its
  -- error. Every partition that the log had then has a row in offsets.
  ADD COLUMN layout_read_at timestamptz;

-- Where a session's first record lies in each partition (a recount starts there), and its control
-- records: seals and final statements. offsets = sum of verdicts, control included.
ALTER TABLE votes.verdicts
  ADD COLUMN first_offset bigint,
  ADD COLUMN control bigint NOT NULL DEFAULT 0;

-- closed → sealed → final; see the table of seals and the final statement.
ALTER TABLE votes.voting_sessions
  ADD COLUMN sealed_at timestamptz,
  ADD COLUMN final_at timestamptz,
  -- The statement's bytes as they stand in Kafka: {"act", "signatures"}.
  ADD COLUMN final_statement bytea,
  ADD CONSTRAINT final_is_whole CHECK ((final_at IS NULL) = (final_statement IS NULL));

-- Public halves of the keys by which a region's ledgers sign seals.
CREATE TABLE votes.seal_keys (
  kid text PRIMARY KEY,
  region text NOT NULL,
  x text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The first valid seal of a session in each partition: what lies behind it is late.
CREATE TABLE votes.seals (
  session_no integer NOT NULL,
  region_no smallint NOT NULL,
  partition smallint NOT NULL,
  "offset" bigint NOT NULL,
  sealed_at timestamptz NOT NULL,
  kid text NOT NULL,
  signature bytea NOT NULL,
  PRIMARY KEY (session_no, region_no, partition)
);

-- One row a transaction that changed counts otherwise than by counting: their number is part of the
-- totals' sequence. The moves themselves stand in tallies, region_no 0, partition -1.
CREATE TABLE votes.corrections (
  session_no integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('seal', 'void', 'restore')),
  -- The act of two people; empty for the seal, which follows from the records alone.
  act_hash bytea NOT NULL DEFAULT '',
  -- Votes whose option changed, or that were taken out or put back.
  moved bigint NOT NULL,
  corrected_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_no, kind, act_hash)
);

-- Counted votes that two people took out: the row keeps the voter's place.
CREATE TABLE votes.void_votes (
  session_no integer NOT NULL,
  vote_id uuid NOT NULL,
  act_hash bytea NOT NULL,
  PRIMARY KEY (session_no, vote_id)
);

-- Public keys of people who may decide; one of a person's keys signs for that person.
CREATE TABLE votes.approval_keys (
  kid text PRIMARY KEY,
  x text NOT NULL,
  admin_id text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT now()
);

-- What two people decide: the body is canonical JSON, its SHA-256 names it and is what they sign.
CREATE TABLE votes.acts (
  act_hash bytea PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('finalise', 'declare_lost', 'void', 'restore')),
  body text NOT NULL CHECK (length(body) <= 1000000),
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL DEFAULT now(),
  -- When the second person had signed and what it asks for was done, or was left to the ledger.
  agreed_at timestamptz,
  -- What a body does and what it is listed as are the same.
  CONSTRAINT kind_is_of_body CHECK (kind = (body::jsonb ->> 'act'))
);
CREATE TABLE votes.act_signatures (
  act_hash bytea NOT NULL REFERENCES votes.acts,
  admin_id text NOT NULL,
  kid text NOT NULL REFERENCES votes.approval_keys,
  signature bytea NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT now(),
  -- One person, one signature, however many keys.
  PRIMARY KEY (act_hash, admin_id)
);
CREATE INDEX acts_by_time ON votes.acts (proposed_at DESC);

-- Who made an account knows its first password: the two are not two people.
ALTER TABLE portal.admins ADD COLUMN made_by uuid REFERENCES portal.admins;

GRANT SELECT ON votes.seal_keys, votes.seals, votes.corrections, votes.void_votes,
  votes.approval_keys, votes.acts, votes.act_signatures TO ledger, publisher, records, portal;
GRANT INSERT ON votes.seal_keys, votes.seals TO ledger;
GRANT UPDATE (layout_read_at) ON votes.regions TO ledger;
