import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from './response.ts';

const withLength =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nContent-Length: 7\r\n\r\n{"a":é}'.replace(
    'Length: 7',
    'Length: 8',
  );
const chunked =
  'HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n' +
  '3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n';

describe('an HTTP answer', () => {
  test('is read with its length in bytes, its status and its Retry-After', () => {
    expect(readAnswer(Buffer.from(withLength))).toEqual({
      status: 503,
      retryAfterS: 3,
      body: '{"a":é}',
      keepsAlive: true,
    });
  });

  test('is put together from its chunks', () => {
    expect(readAnswer(Buffer.from(chunked))).toEqual({
      status: 201,
      retryAfterS: undefined,
      body: 'abc0123456789',
      keepsAlive: false,
    });
  });

  test('is incomplete until its last byte has come, wherever it is cut', () => {
    const bytes = [Buffer.from(withLength), Buffer.from(chunked)];
    fc.assert(
      fc.property(
        fc.constantFrom(...bytes),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, share) => {
          expect(readAnswer(all.subarray(0, Math.floor(all.length * share)))).toBeUndefined();
        },
      ),
    );
  });

  test('is refused when it is not HTTP, has no end or is too large', () => {
    expect(() => readAnswer(Buffer.from('SSH-2.0\r\n\r\n'))).toThrow('not HTTP/1.1');
    expect(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\nbody'))).toThrow('neither');
    expect(() => readAnswer(Buffer.alloc(300 * 1024, 'x'))).toThrow('256 kB');
  });
});
