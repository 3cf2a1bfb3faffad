import { decodeSessionsMessage } from '#common/contracts/session.ts';
import { importPublicKeys, type PublicKeys } from '#common/keys.ts';
import type { LogRecord } from '#common/log-reader.ts';

/** The public keys of ballots, as the topic `sessions` last told them. */
export class BallotKeys {
  #keys: PublicKeys = new Map();

  get keys(): PublicKeys {
    return this.#keys;
  }

  apply(records: readonly Pick<LogRecord, 'value'>[]): void {
    for (const { value } of records) {
      const message = decodeSessionsMessage(value);
      if (message?.type === 'ballot_keys') this.#keys = importPublicKeys(message.keys);
    }
  }
}
