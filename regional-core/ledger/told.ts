import { decodeSessionsMessage } from '#common/contracts/session.ts';
import { decodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { importPublicKeys, type PublicKeys } from '#common/keys.ts';
import type { LogRecord } from '#common/log-reader.ts';
import type { WriterTold } from '#common/postgres.ts';

type Values = readonly Pick<LogRecord, 'value'>[];

/**
 * What the region's Kafka tells the ledger: the ballots' public keys, and the highest epoch and the
 * highest timeline in it that any writer has spoken of. A lower one was left behind by a fail-over.
 */
export class Told {
  #keys: PublicKeys = new Map();
  #epoch = 0;
  #timeline = 0;

  get ballotKeys(): PublicKeys {
    return this.#keys;
  }

  /** 0 before anything was told. */
  get epoch(): number {
    return this.#epoch;
  }

  /** See `WriterTold`. */
  get writer(): WriterTold {
    return { epoch: this.#epoch, timeline: this.#timeline };
  }

  /** Records of the topic `sessions`. */
  hearSessions(records: Values): void {
    for (const { value } of records) {
      const message = decodeSessionsMessage(value);
      if (message?.type === 'ballot_keys') this.#keys = importPublicKeys(message.keys);
      if (message?.type === 'session' || message?.type === 'regions') this.#raise(message.epoch);
    }
  }

  /** Records of the topic `vote-aggregated`. */
  hearTotals(records: Values): void {
    for (const { value } of records) {
      const message = decodeTotalsMessage(value);
      if (message !== undefined) this.#raise(message.epoch, message.timeline);
    }
  }

  #raise(epoch: number, timeline = 0): void {
    if (epoch < this.#epoch) return;
    // Another epoch may be another database, whose timelines are others.
    this.#timeline = epoch > this.#epoch ? timeline : Math.max(this.#timeline, timeline);
    this.#epoch = epoch;
  }
}
