import type { Producer } from '@platformatic/kafka';
import {
  encodeSessionsMessage,
  type SessionsMessage,
  sessionsMessageKey,
} from '#common/contracts/session.ts';
import { encodeTotalsMessage, type TotalsMessage } from '#common/contracts/vote-aggregated.ts';

/** Messages a send may hold; more are sent in turns. */
const messagesMax = 500;

/** Resolves once every message is acknowledged by all in-sync replicas. */
export type Send = (messages: readonly Keyed[]) => Promise<void>;

interface Keyed {
  readonly key: string;
  readonly value: Buffer;
}

/**
 * Sends keyed messages; the key decides the partition, so the latest of a key is the last in its
 * log. Rejects when any was not acknowledged: the caller then publishes all of them again.
 */
export function sendTo(producer: Producer<Buffer, Buffer, Buffer, Buffer>, topic: string): Send {
  return async (messages) => {
    for (let at = 0; at < messages.length; at += messagesMax) {
      await producer.send({
        messages: messages
          .slice(at, at + messagesMax)
          .map(({ key, value }) => ({ topic, key: Buffer.from(key), value })),
      });
    }
  };
}

export function keyedTotals(message: TotalsMessage): Keyed {
  return { key: message.session_id, value: encodeTotalsMessage(message) };
}

export function keyedSessions(message: SessionsMessage): Keyed {
  return { key: sessionsMessageKey(message), value: encodeSessionsMessage(message) };
}
