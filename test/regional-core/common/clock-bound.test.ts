import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { clockBoundFile, clockErrorAt } from '#common/clock-bound.ts';

const folder = mkdtempSync(join(tmpdir(), 'vote-clock-bound-'));
afterAll(() => rmSync(folder, { recursive: true }));

const second = 1_000_000_000n;

interface Fields {
  readonly version: 1 | 2;
  readonly generation: number;
  readonly asOfS: bigint;
  readonly voidAfterS: bigint;
  readonly boundNs: bigint;
  readonly maxDriftPpb: number;
  readonly status: number;
}

/** As the daemon writes it, field by field from its protocol document. */
function segment(change: Partial<Fields> = {}): Buffer {
  const fields: Fields = {
    version: 2,
    generation: 4,
    asOfS: 1000n,
    voidAfterS: 2000n,
    boundNs: 400_000n,
    maxDriftPpb: 50_000,
    status: 1,
    ...change,
  };
  const bytes = Buffer.alloc(fields.version === 1 ? 72 : 80);
  bytes.writeUInt32LE(0x414d5a4e, 0);
  bytes.writeUInt32LE(0x43420200, 4);
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt16LE(fields.version, 12);
  bytes.writeUInt16LE(fields.generation, 14);
  bytes.writeBigInt64LE(fields.asOfS, 16);
  bytes.writeBigInt64LE(fields.voidAfterS, 32);
  bytes.writeBigInt64LE(fields.boundNs, 48);
  bytes.writeUInt32LE(fields.maxDriftPpb, fields.version === 1 ? 56 : 64);
  bytes.writeInt32LE(fields.status, fields.version === 1 ? 64 : 68);
  return bytes;
}

test.each([1, 2] as const)(
  'version %i: the bound, grown by the drift since it was made',
  (version) => {
    // 0.4 ms, and a millisecond that Date.now() cuts off.
    expect(clockErrorAt(segment({ version }), 1000n * second)).toEqual({ ms: 2 });
    // 500 s at 50 ppm are 25 ms more.
    expect(clockErrorAt(segment({ version }), 1500n * second)).toEqual({ ms: 27 });
  },
);

test('a clock that runs freely is bounded too; one whose status is not known is not', () => {
  expect(clockErrorAt(segment({ status: 2 }), 1000n * second)).toEqual({ ms: 2 });
  for (const status of [0, 3, 17]) {
    expect(clockErrorAt(segment({ status }), 1000n * second), String(status)).toEqual({
      unknown: `ClockBound's file says nothing: its status is ${status}`,
    });
  }
});

test.each([
  ['it was not renewed in time', segment(), 2000n * second],
  ['it was written in the future', segment(), 999n * second],
  ['it is being written', segment({ generation: 5 }), 1000n * second],
  ['it is being written', segment({ generation: 0 }), 1000n * second],
  ['it is malformed', segment({ maxDriftPpb: 1_000_000_000 }), 1000n * second],
  ['it is malformed', segment({ boundNs: -1n }), 1000n * second],
  ['it is too short', segment().subarray(0, 72), 1000n * second],
  ['it is too short', Buffer.alloc(4), 1000n * second],
  ['it is not of ClockBound', Buffer.alloc(80), 1000n * second],
  ['its version 3 is not known', segment({ version: 3 as 2 }), 1000n * second],
])('%s: no bound (%#)', (why, bytes, atNs) => {
  expect(clockErrorAt(bytes, atNs)).toEqual({ unknown: `ClockBound's file says nothing: ${why}` });
});

test('the file is read each time, and one that is gone says nothing', () => {
  const path = join(folder, 'shm');
  const read = clockBoundFile(path, () => 1000n * second);
  expect(read()).toHaveProperty('unknown');
  writeFileSync(path, segment());
  expect(read()).toEqual({ ms: 2 });
  writeFileSync(path, segment({ boundNs: 60_000_000n }));
  expect(read()).toEqual({ ms: 61 });
  writeFileSync(path, segment({ generation: 7 }));
  expect(read()).toHaveProperty('unknown');
});
