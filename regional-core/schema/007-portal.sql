-- Who works in the admin portal. Apart from voters: no account is both, no role reads both.
CREATE TABLE portal.admins (
  admin_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- Lower case, so that one address is one admin.
  email text NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  -- $argon2id$v=19$m=…,t=…,p=…$salt$hash
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin')),
  created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON portal.admins TO portal;
