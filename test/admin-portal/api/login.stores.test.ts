import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '#common/clock.ts';
import { admin, portalUrl, startTestPortal } from './test-portal.ts';

const it = await startTestPortal();

function tryLogin(email: string, password: string, viewer = '192.0.2.1') {
  return it.call('POST', '/login', {
    body: { email, password },
    headers: { 'cloudfront-viewer-address': `${viewer}:4711` },
  });
}

describe('logging in', () => {
  test('answers who it is and sets a cookie bound to this host', async () => {
    const { status, headers, body } = await tryLogin(' ADMIN@vote.example ', admin.password);
    expect([status, body]).toEqual([200, { email: admin.email, role: 'admin' }]);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-vote-admin=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['a wrong password', admin.email, 'wrong horse'],
    ['an unknown address', 'nobody@vote.example', admin.password],
    ['no address at all', 'nobody', admin.password],
  ])('answers %s with the same 401', async (_case, email, password) => {
    const { status, headers, body } = await tryLogin(email, password, '192.0.2.2');
    expect([status, body['error']]).toEqual([401, 'invalid_credentials']);
    expect(headers.getSetCookie()).toEqual([]);
  });

  test('names a missing field', async () => {
    const { status, body } = await it.call('POST', '/login', { body: { email: admin.email } });
    expect([status, body['error'], body['fields']]).toEqual([
      400,
      'invalid_request',
      [{ field: 'password', message: 'is required' }],
    ]);
  });

  test('takes nothing but JSON', async () => {
    const { status, body } = await it.call('POST', '/login', {
      body: admin,
      headers: { 'content-type': 'text/plain' },
    });
    expect([status, body['error']]).toEqual([415, 'unsupported_media_type']);
  });

  test('refuses the eleventh attempt of one viewer, right or wrong, and no one else', async () => {
    for (let tried = 0; tried < 10; tried++) {
      expect((await tryLogin(admin.email, `wrong ${tried}`, '192.0.2.3')).status).toBe(401);
    }
    const { status, headers, body } = await tryLogin(admin.email, admin.password, '192.0.2.3');
    expect([status, body['error']]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(headers.get('retry-after'))).toBe(body['retry_after']);
    expect((await tryLogin(admin.email, admin.password, '192.0.2.4')).status).toBe(200);
  });

  test('right passwords are not counted', async () => {
    for (let login = 0; login < 12; login++) {
      expect((await tryLogin(admin.email, admin.password, '192.0.2.5')).status).toBe(200);
    }
  });

  test('wrong passwords sent at once do not slip past the limit', async () => {
    const answers = await Promise.all(
      Array.from({ length: 15 }, () => tryLogin('a@vote.example', 'wrong', '192.0.2.6')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
  });
});

describe('being logged in', () => {
  test('is asked by GET /me', async () => {
    const cookie = await it.login();
    const { status, body } = await it.call('GET', '/me', { cookie: `other=1; ${cookie}` });
    expect([status, body]).toEqual([200, { email: admin.email, role: 'admin' }]);
  });

  test.each([
    ['no cookie', {}],
    ['a made up one', { cookie: `__Host-vote-admin=${'A'.repeat(43)}` }],
    ['one that cannot be', { cookie: '__Host-vote-admin=x y' }],
  ])('is not, with %s', async (_case, options) => {
    const { status, body } = await it.call('GET', '/me', options);
    expect([status, body['error']]).toEqual([401, 'invalid_token']);
  });

  test('ends with logging out, which may be done twice', async () => {
    const cookie = await it.login();
    const first = await it.call('POST', '/logout', { cookie });
    expect([first.status, first.headers.getSetCookie()]).toEqual([
      204,
      ['__Host-vote-admin=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0'],
    ]);
    expect((await it.call('GET', '/me', { cookie })).status).toBe(401);
    expect((await it.call('POST', '/logout', { cookie })).status).toBe(204);
  });

  test('ends after eight hours, however busy', async () => {
    const startMs = Date.now();
    it.setNow(startMs);
    const cookie = await it.login();
    it.setNow(startMs + 8 * HOUR_MS - 1);
    expect((await it.call('GET', '/me', { cookie })).status).toBe(200);
    it.setNow(startMs + 8 * HOUR_MS);
    expect((await it.call('GET', '/me', { cookie })).status).toBe(401);
    it.setNow(startMs);
    expect((await it.call('GET', '/me', { cookie })).status).toBe(401);
  });

  test('ends after half an hour of silence, each request beginning it anew', async () => {
    const cookie = await it.login();
    const token = cookie.split('=')[1]!;
    const keys = await it.redis.keys(`${it.redisPrefix}admin-login:*`);
    expect(keys.some((key) => key.includes(token))).toBe(false);
    for (const key of keys) await it.redis.pexpire(key, MINUTE_MS);
    await it.call('GET', '/me', { cookie });
    const left = await Promise.all(keys.map((key) => it.redis.pttl(key)));
    expect(left.filter((ms) => ms > 29 * MINUTE_MS && ms <= 30 * MINUTE_MS)).toHaveLength(1);
  });
});

describe('requests of other sites', () => {
  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin to speak of', { origin: 'null' }],
    ['a sibling of the same site', { origin: 'https://results.vote.example' }],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused, with a good cookie too', async (_case, headers) => {
    const cookie = await it.login();
    const { status, body } = await it.call('POST', '/logout', { cookie, headers });
    expect([status, body['error']]).toEqual([403, 'forbidden']);
    expect((await it.call('GET', '/me', { cookie })).status).toBe(200);
  });

  test.each([
    ["the portal's own page", { origin: portalUrl, 'sec-fetch-site': 'same-origin' }],
    ['a program without a page', {}],
  ])('%s is not one of them', async (_case, headers) => {
    const cookie = await it.login();
    expect((await it.call('GET', '/me', { cookie, headers })).status).toBe(200);
  });
});

test('other methods and addresses are told as such', async () => {
  const wrong = await it.call('DELETE', '/me');
  expect([wrong.status, wrong.body['error']]).toEqual([405, 'method_not_allowed']);
  const none = await it.call('GET', '/nothing');
  expect([none.status, none.body['error']]).toEqual([404, 'not_found']);
});

test('without the secret of the edge nothing is answered', async () => {
  const headers = { 'x-origin-secret': 'guess' };
  const { status, body } = await it.call('GET', '/me', { headers });
  expect([status, body['error']]).toEqual([403, 'origin_only']);
});

test('Redis away is retryable trouble, and no login', async () => {
  const cookie = await it.login();
  it.redis.disconnect();
  const answers = [
    await it.call('GET', '/me', { cookie }),
    await tryLogin(admin.email, admin.password),
  ];
  for (const { status, body } of answers) {
    expect([status, body['error']]).toEqual([503, 'not_ready']);
  }
});
