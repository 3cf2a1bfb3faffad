import type { SessionMessage } from '#common/contracts/session.ts';
import { decodeSessionsMessage, isNewerSession } from '#common/contracts/session.ts';
import { decodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { Publisher } from '../../regional-core/publisher/publisher.ts';
import type { PublisherStore } from '../../regional-core/publisher/publisher-store.ts';
import { nothingTold, TellingTotals, type Told } from '../../regional-core/publisher/told.ts';
import type { MessageTopic } from './message-topic.ts';
import { Connections, type DatabaseAddress } from './model/database.ts';
import { ConnectionLostError } from './model/refusals.ts';
import type { State } from './model/state.ts';
import { readRegions, readSessions, readTotals, sealKeys } from './model/totals.ts';
import type { Network } from './network.ts';
import type { Region } from './region.ts';
import { RoomProcess } from './room-process.ts';
import { noMetrics, silentLog } from './stand-ins.ts';
import type { Timeline } from './timeline.ts';

const statementMs = 10_000;
const sendMs = 5000;

/** One publisher: the production code between the simulated database and its region's topics. */
export class PublisherProcess {
  readonly process: RoomProcess;
  readonly publisher: Publisher;

  constructor(
    parts: { timeline: Timeline; network: Network; region: Region; address: DatabaseAddress },
    name: string,
  ) {
    const { timeline, network, region, address } = parts;
    this.process = new RoomProcess(timeline, network, 'publisher', name);
    const connections = new Connections(address);
    const read = <T>(point: string, run: (state: State) => T): Promise<T> =>
      network.call({
        from: this.process,
        point,
        route: `${region.name}:postgres`,
        serve: () => connections.use((server) => server.read(run)),
        patienceMs: statementMs,
        lost: (why) => new ConnectionLostError(why),
      });
    const store: PublisherStore = {
      readSessions: () => read('publisher.readSessions', readSessions),
      readBallotKeys: () => read('publisher.readBallotKeys', () => []),
      readSealKeys: () => read('publisher.readSealKeys', () => sealKeys),
      readRegions: () => read('publisher.readRegions', readRegions),
      readTotals: (since, alsoNos) =>
        read('publisher.readTotals', (state) => readTotals(state, since, alsoNos)),
    };
    const sendTo =
      (point: string, topic: MessageTopic) =>
      (messages: readonly { key: string; value: Buffer }[]): Promise<void> => {
        // As `sendTo`: nothing is sent where there is nothing to send.
        if (messages.length === 0) return Promise.resolve();
        return network.call({
          from: this.process,
          point,
          route: `${region.name}:kafka`,
          serve: () => topic.write(messages),
          patienceMs: sendMs,
          lost: (why) => new Error(`send: ${why}`),
        });
      };
    this.publisher = new Publisher({
      store,
      clock: this.process,
      log: silentLog,
      metrics: noMetrics,
      sendTotals: sendTo('publisher.sendTotals', region.totals),
      sendSessions: sendTo('publisher.sendSessions', region.sessions),
      told: toldIn(region),
    });
    void this.publisher.run(new AbortController().signal);
  }
}

/** What a publisher finds in its region's topics when it starts. */
function toldIn(region: Region): Told {
  const telling = new TellingTotals();
  for (const { value } of region.totals.messages) {
    const message = decodeTotalsMessage(value);
    if (message !== undefined) telling.hear(message);
  }
  const sessions = new Map<string, SessionMessage>();
  let told: Told = nothingTold;
  for (const { value } of region.sessions.messages) {
    const message = decodeSessionsMessage(value);
    if (message?.type === 'session') {
      const held = sessions.get(message.session_id);
      if (isNewerSession(message, held)) sessions.set(message.session_id, message);
    }
    if (message?.type === 'regions') told = { ...told, regions: message };
    if (message?.type === 'totals_stale') told = { ...told, staleSinceMs: message.since_ms };
  }
  return { ...told, ...telling.told, sessions: [...sessions.values()] };
}
