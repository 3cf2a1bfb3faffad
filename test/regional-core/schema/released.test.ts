import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/**
 * Migrations as 0.1.0 has them, by SHA-256. A database that ran them never runs them again: what is
 * changed in one of these files reaches new databases only.
 */
const released: Readonly<Record<string, string>> = {
  '001-roles.sql': 'a068b6b8234b17275fb22c437aa93496c01017c84d04f32723f7b1eac366c911',
  '002-sessions.sql': 'f8daf6f8db6098cd52340711b3c5b152ead4e43bc024bc74cb9c6a8e618a7502',
  '003-votes.sql': '42ce697cba12a8a7b7b51c12b72947c5691027a7b56b48413f221239bf1f92e7',
  '004-count-batch.sql': 'bf78d7c4889a64ec833b09cd4c1e133007085a5a0edba2c8631b48d98b12146e',
  '005-leases.sql': '5405c415a39c6b3c1531084a8bde0d87e40bc56c80e361f5383dc18c5df59630',
  '006-identity.sql': 'd18a848e96603cfd776c4ae902bcdc15a7e9338f7739b5b552455a7722569080',
  '007-portal.sql': 'b28553540e473765eacc0bbab1cfb05085bfa36bb151d96bc5842a61c13b0a27',
};

test.each(Object.entries(released))('%s is as it was released', (file, sha256) => {
  const sql = readFileSync(new URL(`../../../regional-core/schema/${file}`, import.meta.url));
  expect(createHash('sha256').update(sql).digest('hex')).toBe(sha256);
});
