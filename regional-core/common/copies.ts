import type { ClientBase } from 'pg';
import { type Clock, sleep } from './clock.ts';
import { ServiceError } from './errors.ts';
import type { Pool } from './postgres.ts';

/** What a statement needs: a pool, or one connection of it. */
export type Db = Pick<ClientBase, 'query'>;

/**
 * Answers what other copies of the database have, and nothing else. A fail-over to a copy that
 * lags loses the writer's last commits; what must not be lost in one (a session, an act, a secret
 * that vote ids are made of) is told only when enough copies have replayed it.
 */
export interface Copies {
  /**
   * Reads and writes on one connection and waits until the copies have all that was committed
   * before this moment, also what the act only read. Rejects with `outcome_unknown` when they have
   * not within 3 s, or the connection breaks meanwhile: asking again is how to find out, so `act`
   * must be safe to repeat. What `act` throws goes through unchanged.
   */
  write<T>(act: (db: Db) => Promise<T>): Promise<T>;
}

export interface CopiesParts {
  readonly pool: Pool;
  /** How many copies must have it; 0 where there are none. */
  readonly copiesMin: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** The copies did not have it in time. */
  readonly onLate: () => void;
}

/** An answer waits this long for the copies; then its outcome is unknown. */
export const copiesWaitMsMax = 3000;
const pollMsMin = 5;
const pollMsMax = 100;

/**
 * With `copiesMin` 0 acts run on the pool, each statement on any connection, and nothing is waited
 * for. Otherwise an act holds one connection until the copies have it, so the pool's size bounds
 * how many are under way.
 */
export function createCopies({ pool, copiesMin, clock, onLate }: CopiesParts): Copies {
  /** Polls, slower and slower; a copy nearby has it within a few milliseconds. */
  async function wait(db: Db, deadlineMs: number): Promise<boolean> {
    // The same connection as the write: a server that took over in between answers no question
    // about a commit that it never saw.
    const marked = await db.query<{ mark: string }>('SELECT votes.copies_mark() AS mark');
    for (let pollMs = pollMsMin; ; pollMs = Math.min(2 * pollMs, pollMsMax)) {
      const { rows } = await db.query<{ copies: number }>(
        'SELECT votes.copies_with($1) AS copies',
        [marked.rows[0]!.mark],
      );
      if (rows[0]!.copies >= copiesMin) return true;
      if (clock.monotonicMs() + pollMs > deadlineMs) return false;
      await sleep(pollMs, undefined, clock);
    }
  }

  return {
    write: async (act) => {
      if (copiesMin === 0) return act(pool);
      const client = await pool.connect();
      // It may break between two questions; the next one says so.
      const ignore = (): void => undefined;
      client.on('error', ignore);
      let broken = true;
      try {
        const result = await act(client);
        const isCopied = await wait(client, clock.monotonicMs() + copiesWaitMsMax).catch(
          (cause: unknown) => {
            throw unknown(cause);
          },
        );
        broken = false;
        if (isCopied) return result;
        onLate();
        throw unknown(new Error(`${copiesMin} copies did not have it in ${copiesWaitMsMax} ms`));
      } catch (error) {
        if (error instanceof ServiceError && error.code !== 'outcome_unknown') broken = false;
        throw error;
      } finally {
        client.off('error', ignore);
        client.release(broken);
      }
    },
  };
}

function unknown(cause: unknown): ServiceError {
  return new ServiceError('outcome_unknown', {
    message: 'This is recorded here, and not yet safe against a fail-over; ask again.',
    retryAfterS: 2,
    cause,
  });
}
