-- What is voted on, and the two things every reader of it needs: the epoch and the ballots' keys.

-- Raised by the act that moves the writer's address; carried in every message made from here.
CREATE TABLE votes.epoch (
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  epoch integer NOT NULL CHECK (epoch BETWEEN 1 AND 8191)
);
INSERT INTO votes.epoch (epoch) VALUES (1);

CREATE TABLE votes.voting_sessions (
  -- The short key that vote rows carry; session_id is the name outside.
  session_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id uuid NOT NULL UNIQUE,
  -- Rises with every change; readers ignore a lower one.
  version integer NOT NULL DEFAULT 1,
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  -- [{"option_id", "label"}]: a position in it is an option number. Frozen from opening on.
  options jsonb NOT NULL CHECK (jsonb_array_length(options) BETWEEN 2 AND 100),
  opens_at timestamptz NOT NULL,
  closes_at timestamptz NOT NULL CHECK (closes_at > opens_at),
  eligibility text[] NOT NULL CHECK (cardinality(eligibility) > 0),
  results_policy text NOT NULL
    CHECK (results_policy IN ('live', 'after_vote', 'after_close', 'on_release')),
  released_at timestamptz,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX voting_sessions_by_closing ON votes.voting_sessions (closes_at DESC);

-- Public halves of the keys that sign ballots, written by identity, spread over the topic sessions.
CREATE TABLE votes.ballot_keys (
  kid text PRIMARY KEY,
  x text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON votes.epoch, votes.voting_sessions TO identity, ledger, publisher, records, portal;
GRANT INSERT, UPDATE ON votes.voting_sessions TO portal;
GRANT SELECT ON votes.ballot_keys TO identity, publisher, ledger, records;
GRANT INSERT ON votes.ballot_keys TO identity;
