-- Who the voters are. Read and written by identity alone; nothing in here says what anybody chose.

-- Every voter id that an account ever had: the HMAC of its first verified e-mail. A row stays when
-- its account is deleted, so that whoever registers again is the same voter and not a second one.
CREATE TABLE identity.voter_ids (
  voter_id bytea PRIMARY KEY CHECK (length(voter_id) = 32),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- An account exists from its verification on: an address that nobody confirmed blocks nobody.
CREATE TABLE identity.users (
  user_id uuid PRIMARY KEY,
  voter_id bytea NOT NULL UNIQUE REFERENCES identity.voter_ids,
  -- Normalised: NFKC, lower case, the domain in ASCII.
  email text NOT NULL UNIQUE CHECK (length(email) <= 254),
  -- $argon2id$v=19$m=…,t=…,p=…$salt$hash
  password_hash text NOT NULL,
  verified_at timestamptz NOT NULL DEFAULT now()
);

-- Registrations that wait for the link in the mail. One address may have several: each link brings
-- the password it was asked with, so that nobody's later request changes what a link does.
CREATE TABLE identity.registrations (
  -- SHA-256 of the token in the link.
  token_hash bytea PRIMARY KEY,
  email text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX registrations_by_email ON identity.registrations (email, created_at DESC);
CREATE INDEX registrations_by_expiry ON identity.registrations (expires_at);

-- A login: the family of refresh tokens that descend from one password. session_id is the claim of
-- that name in access tokens, never a voting session.
CREATE TABLE identity.logins (
  session_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
  acr text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  -- When its last refresh token ends.
  expires_at timestamptz NOT NULL
);
CREATE INDEX logins_by_user ON identity.logins (user_id);
CREATE INDEX logins_by_expiry ON identity.logins (expires_at);

-- Each refresh token is good once. A spent one stays until it expires: seeing it again means that
-- two hold it, and ends the whole login.
CREATE TABLE identity.refresh_tokens (
  token_hash bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES identity.logins ON DELETE CASCADE,
  -- The access token given together with it: revoked with the login.
  access_jti text NOT NULL,
  access_expires_at timestamptz NOT NULL,
  spent_at timestamptz,
  expires_at timestamptz NOT NULL
);
CREATE INDEX refresh_tokens_by_login ON identity.refresh_tokens (session_id);

-- Access tokens that are not good any more although they have not expired.
CREATE TABLE identity.revocations (
  jti text PRIMARY KEY,
  revoked_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX revocations_by_expiry ON identity.revocations (expires_at);
CREATE INDEX revocations_by_time ON identity.revocations (revoked_at);

-- The secret that turns voter ids into vote ids, one a voting session, made by whoever comes first.
-- AES-256-GCM under a key that Postgres never sees.
CREATE TABLE identity.session_secrets (
  session_id uuid PRIMARY KEY,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON identity.voter_ids TO identity;
GRANT SELECT, INSERT, DELETE ON identity.users TO identity;
GRANT SELECT, INSERT, DELETE ON identity.registrations TO identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.logins TO identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.refresh_tokens TO identity;
GRANT SELECT, INSERT, DELETE ON identity.revocations TO identity;
GRANT SELECT, INSERT, DELETE ON identity.session_secrets TO identity;
