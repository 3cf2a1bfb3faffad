import { describe, expect, test } from 'vitest';
import { shareSource, type TabLink } from '../../voter-web/share.ts';

/**
 * One browser with any number of tabs: a lock with its queue, and a channel that all others hear.
 */
function browser() {
  const queue: { signal: AbortSignal; work: () => Promise<void> }[] = [];
  const hears = new Set<{ hear: (message: unknown) => void }>();
  let held = false;
  async function next(): Promise<void> {
    const first = queue.find(({ signal }) => !signal.aborted);
    if (held || first === undefined) return;
    queue.splice(queue.indexOf(first), 1);
    held = true;
    await first.work();
    held = false;
    await next();
  }
  function tab(): TabLink {
    return {
      lead(_name, signal, work) {
        queue.push({ signal, work });
        void next();
      },
      channel() {
        const own = { hear: (_message: unknown): void => undefined };
        hears.add(own);
        return {
          send: (message) => {
            for (const other of hears) if (other !== own) other.hear(message);
          },
          onMessage: (hear) => {
            own.hear = hear;
          },
          close: () => void hears.delete(own),
        };
      },
    };
  }
  return { tab };
}

function sourceCounter() {
  const running = new Set<(value: number) => void>();
  let started = 0;
  const run = (tell: (value: number) => void): (() => void) => {
    started += 1;
    running.add(tell);
    return () => running.delete(tell);
  };
  const tick = (value: number): void => running.forEach((tell) => tell(value));
  return { run, tick, running, started: () => started };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('one source for all tabs', () => {
  test('ten tabs run one source and hear the same', async () => {
    const { tab } = browser();
    const source = sourceCounter();
    const heard: number[][] = Array.from({ length: 10 }, () => []);
    const leave = heard.map((list) =>
      shareSource<number>('results', tab(), source.run, (value) => list.push(value)),
    );
    await settled();
    source.tick(7);
    expect(source.running.size).toBe(1);
    expect(heard.flat()).toEqual(Array(10).fill(7));
    for (const go of leave) go();
    await settled();
    expect(source.running.size).toBe(0);
  });

  test('when the leading tab goes, the next takes over', async () => {
    const { tab } = browser();
    const source = sourceCounter();
    const heard: number[] = [];
    const leaveFirst = shareSource<number>('results', tab(), source.run, () => undefined);
    const leaveSecond = shareSource<number>('results', tab(), source.run, (v) => heard.push(v));
    await settled();
    leaveFirst();
    await settled();
    source.tick(3);
    expect(heard).toEqual([3]);
    expect(source.started()).toBe(2);
    leaveSecond();
    await settled();
  });

  test('a tab that joins later is told the last value', async () => {
    const { tab } = browser();
    const source = sourceCounter();
    const leaveFirst = shareSource<number>('results', tab(), source.run, () => undefined);
    await settled();
    source.tick(5);
    const heard: number[] = [];
    const leaveSecond = shareSource<number>('results', tab(), source.run, (v) => heard.push(v));
    await settled();
    expect(heard).toEqual([5]);
    leaveFirst();
    leaveSecond();
    await settled();
  });

  test('without locks each tab runs its own', () => {
    const source = sourceCounter();
    const leave = shareSource<number>('results', null, source.run, () => undefined);
    expect(source.running.size).toBe(1);
    leave();
    expect(source.running.size).toBe(0);
  });
});
