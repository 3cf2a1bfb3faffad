import {
  decodeSessionsMessage,
  isNewerSession,
  type RegionsMessage,
  type SessionMessage,
} from '#common/contracts/session.ts';
import { importPublicKeys, type PublicKeys } from '#common/keys.ts';
import type { LogRecord } from '#common/log-reader.ts';

export interface KnownSession {
  readonly message: SessionMessage;
  /** option id → option number. */
  readonly optionNos: ReadonlyMap<string, number>;
}

/** The sessions and the ballots' keys as the topic `sessions` tells them; nothing else is asked. */
export class Sessions {
  readonly #sessions = new Map<string, KnownSession>();
  #ballotKeys: PublicKeys = new Map();
  #regions: Pick<RegionsMessage, 'epoch' | 'lost'> = { epoch: 0, lost: [] };

  get ballotKeys(): PublicKeys {
    return this.#ballotKeys;
  }

  find(sessionId: string): KnownSession | undefined {
    return this.#sessions.get(sessionId);
  }

  /** True once two people declared the region lost: nothing that it accepts would be read. */
  isLost(region: string): boolean {
    return this.#regions.lost.includes(region);
  }

  apply(records: readonly Pick<LogRecord, 'value'>[]): void {
    for (const { value } of records) {
      const message = decodeSessionsMessage(value);
      if (message?.type === 'ballot_keys') this.#ballotKeys = importPublicKeys(message.keys);
      if (message?.type === 'session') this.#keep(message);
      if (message?.type === 'regions' && message.epoch >= this.#regions.epoch) {
        this.#regions = message;
      }
    }
  }

  #keep(message: SessionMessage): void {
    if (!isNewerSession(message, this.#sessions.get(message.session_id)?.message)) return;
    const optionNos = new Map(message.options.map(({ option_id }, no) => [option_id, no]));
    this.#sessions.set(message.session_id, { message, optionNos });
  }
}
