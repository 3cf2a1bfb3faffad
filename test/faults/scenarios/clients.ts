import { connect } from 'node:net';
import { readLogBounds } from '#common/kafka.ts';
import type { Attempt } from '../crowd/history.ts';
import { type Voter, Voters } from '../crowd/voters.ts';
import { Proxy } from '../lab/proxy.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { closeIn, expectSealed } from './closing.ts';
import { expectOneDigest } from './final.ts';
import { acceptedP99 } from './latency.ts';

const f1: Scenario = {
  id: 'F1',
  fault: 'answer lost after the ack',
  done: (scale) =>
    `${lostAnswers(scale)} voters: the connection is reset when the answer comes, then asked twice more`,
  run: async (stage) => {
    const home = stage.lab.home;
    const port = stage.lab.ground.port('cutting-front');
    const targets = home.services.intake.map((one) => ({ host: '127.0.0.1', port: one.port }));
    const cutting = await Proxy.open('cutting front', port, targets);
    cutting.trouble({ down: { cutChance: 1 } });
    const ways = [{ region: home.name, port }];
    const cut = new Voters(stage.lab.keys, stage.session, ways, stage.history);
    try {
      const wrong: string[] = [];
      await each(stage, lostAnswers(stage.scale), async (voter) => {
        const first = await cut.attempt(voter, 1, home.name);
        const one = await stage.voters.vote(voter, 1, [home.name], patienceMs);
        const two = await stage.voters.vote(voter, 1, [home.name], patienceMs);
        if (first.attempt.code !== 'network') wrong.push(`${voter.voteId}: was answered`);
        if (!sameVote(one, two)) wrong.push(`${voter.voteId}: ${one.code} ${two.code}`);
      });
      stage.healed();
      stage.expect(
        'each retry has the same vote id and code',
        wrong.length === 0,
        wrong.join('; '),
      );
      stage.note(`${cutting.cuts} answers cut`);
    } finally {
      cut.close();
      await cutting.close();
    }
  },
};

const f2: Scenario = {
  id: 'F2',
  fault: 'double click, two tabs, 100 equal requests at once',
  done: (scale) => `${scale === 'short' ? 20 : 200} voters send 100 equal requests at once each`,
  run: async (stage) => {
    const { voters, lab } = stage;
    const ids: number[] = [];
    await each(
      stage,
      stage.pick(20, 200),
      async (voter) => {
        const sent = Array.from({ length: 100 }, () => voters.attempt(voter, 1, lab.home.name));
        const answers = (await Promise.all(sent)).map(({ attempt }) => attempt.answer?.vote_id);
        // More than a voter's bucket holds is refused for the moment; then it is asked again.
        await voters.vote(voter, 1, [lab.home.name], patienceMs);
        ids.push(new Set(answers.filter((id) => id !== undefined)).size);
      },
      2,
    );
    stage.healed();
    stage.expect(
      'all 201s of a voter name one vote',
      ids.every((count) => count <= 1),
      ids.join(' '),
    );
  },
};

const f3: Scenario = {
  id: 'F3',
  fault: 'same voter, two regions, other choices, same moment',
  done: (scale) =>
    `${bothAtOnce(scale)} voters send to both regions in one turn, half of them other choices; sealed; Kafka recounted in two random orders`,
  needs: { regions: 2 },
  run: async (stage) => {
    const [one, two] = stage.lab.regions.map(({ name }) => name) as [string, string];
    let both = 0;
    await each(stage, bothAtOnce(stage.scale), async (voter, number) => {
      const pair = await Promise.all([
        stage.voters.vote(voter, 0, [one], patienceMs),
        stage.voters.vote(voter, number % 2, [two], patienceMs),
      ]);
      if (pair.every(({ outcome }) => outcome === 'ok')) both += 1;
    });
    stage.note(`${both} were accepted in both regions`);
    stage.expect('some were accepted in both', both > 0, `${both}`);
    await closeIn(stage, 10);
    await expectSealed(stage);
    stage.healed();
    await expectOneDigest(stage);
  },
};

const f4: Scenario = {
  id: 'F4',
  fault: 'the region is changed in mid-request',
  done: (scale) =>
    `${scale === 'short' ? 300 : 5000} voters: region A's answer is cut after the record, B is asked with the same ballot`,
  needs: { regions: 2 },
  run: async (stage) => {
    const [one, two] = stage.lab.regions.map(({ name }) => name) as [string, string];
    stage.lab.home.front.trouble({ down: { cutChance: 1 } });
    let accepted = 0;
    await each(stage, stage.pick(300, 5000), async (voter) => {
      await stage.voters.attempt(voter, 2, one);
      const second = await stage.voters.vote(voter, 2, [two], patienceMs);
      if (second.outcome === 'ok') accepted += 1;
    });
    stage.healed();
    const wanted = stage.pick(300, 5000);
    stage.expect('the other region accepts each', accepted === wanted, `${accepted} of ${wanted}`);
  },
};

const f5: Scenario = {
  id: 'F5',
  fault: 'the edge gives up, the core goes on',
  done: (scale) =>
    `intakes stopped 3 s, ${scale === 'short' ? 50 : 500} clients give up after 1 s as an edge's 504; then each asks for the state of its vote`,
  run: async (stage) => {
    const { home } = stage.lab;
    const waiting: Voter[] = [];
    for (const { process } of home.services.intake) process.pause();
    const sent = Array.from({ length: stage.pick(50, 500) }, () => {
      const voter = stage.voters.make();
      waiting.push(voter);
      return stage.voters.attempt(voter, 1, home.name, 1000);
    });
    await Promise.all(sent);
    await stage.seconds(2);
    for (const { process } of home.services.intake) process.resume();
    await stage.seconds(4);
    const states = new Map<number, number>();
    for (const { voteId, ballotToken } of waiting) {
      const status = await stateOf(stage, voteId, ballotToken);
      states.set(status, (states.get(status) ?? 0) + 1);
    }
    await Promise.all(waiting.map((one) => stage.voters.vote(one, 1, [home.name], patienceMs)));
    stage.healed();
    stage.note(`states after the 504: ${[...states].map(([s, n]) => `${n} of ${s}`).join(', ')}`);
    const honest = [...states.keys()].every((status) => status === 200 || status === 404);
    stage.expect('the state is told, or not recorded yet', honest, [...states.keys()].join(' '));
  },
};

const f6: Scenario = {
  id: 'F6',
  fault: 'slow headers, bodies and readers',
  done: (scale) =>
    `${scale === 'short' ? 200 : 2000} connections that send a byte a second, beside the usual crowd; p99 before and meanwhile`,
  run: async (stage) => {
    const load = stage.load();
    await stage.seconds(5);
    const fromMs = performance.now();
    const before = acceptedP99(stage, 0, fromMs);
    const slow = Array.from({ length: stage.pick(200, 2000) }, (_, at) => dribble(stage, at % 2));
    await stage.seconds(stage.pick(8, 40));
    const meanwhile = acceptedP99(stage, fromMs, performance.now());
    for (const end of slow) end();
    stage.healed();
    await load.end();
    const text = `p99 ${before.toFixed(0)} → ${meanwhile.toFixed(0)} ms`;
    stage.note(text);
    // Below this a factor of two is the machine's own noise.
    stage.expect('p99 stays below twice', meanwhile < Math.max(2 * before, 60), text);
  },
};

const f7: Scenario = {
  id: 'F7',
  fault: 'malformed, oversized, of another type',
  done: () =>
    'a corpus of wrong requests; log ends before and after; more in test/regional-core/intake',
  run: async (stage) => {
    const { home } = stage.lab;
    const base = {
      'x-origin-secret': stage.lab.keys.originSecret,
      'cloudfront-viewer-address': '10.9.9.9:1',
      'content-type': 'application/json',
      'idempotency-key': 'malformed-key-1',
      authorization: `Bearer ${stage.voters.make().ballotToken}`,
    };
    const wrong: [string, Record<string, string>, string][] = [
      ['not JSON', {}, 'nonsense'],
      ['oversized', {}, `{"option_id":"${'x'.repeat(4000)}"}`],
      ['another type', { 'content-type': 'text/plain' }, '{}'],
      ['no members', {}, '{}'],
      ['an array', {}, '[]'],
      ['a prototype', {}, '{"__proto__":{"a":1}}'],
      ['no key', { 'idempotency-key': '' }, '{}'],
      [
        'no ballot',
        { authorization: '' },
        `{"session_id":"${stage.session.sessionId}","option_id":"${stage.session.optionIds[0]}"}`,
      ],
      ['another option', {}, `{"session_id":"${stage.session.sessionId}","option_id":"none"}`],
    ];
    const log = { brokers: home.kafka.addresses, clientId: 'lab' };
    const before = await readLogBounds(log, 'vote-submitted', 'latest');
    const statuses: string[] = [];
    for (const [name, headers, body] of wrong) {
      const response = await fetch(`http://127.0.0.1:${home.frontPort}/api/v1/votes`, {
        method: 'POST',
        headers: { ...base, ...headers },
        body,
      });
      await response.arrayBuffer();
      if (response.status < 400 || response.status >= 500)
        statuses.push(`${name}: ${response.status}`);
    }
    stage.healed();
    stage.expect('each is refused with 4xx', statuses.length === 0, statuses.join('; '));
    const after = await readLogBounds(log, 'vote-submitted', 'latest');
    stage.expect(
      'none was recorded',
      String(before) === String(after),
      'ends of the log are equal',
    );
  },
};

export const clientScenarios: readonly Scenario[] = [f1, f2, f3, f4, f5, f6, f7];

const patienceMs = 30_000;

function lostAnswers(scale: string): number {
  return scale === 'short' ? 500 : 10_000;
}

function bothAtOnce(scale: string): number {
  return scale === 'short' ? 500 : 10_000;
}

/** The status by which `records` answers for a vote. */
async function stateOf(stage: Stage, voteId: string, ballotToken: string): Promise<number> {
  const { home } = stage.lab;
  const { port } = home.services.records[0]!;
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/votes/${voteId}`, {
    headers: {
      'x-origin-secret': stage.lab.keys.originSecret,
      'cloudfront-viewer-address': '10.7.7.7:1',
      authorization: `Bearer ${ballotToken}`,
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** A connection that sends its head, or its body, byte by byte; call what it gives to end it. */
function dribble(stage: Stage, isBody: number): () => void {
  const socket = connect({ host: '127.0.0.1', port: stage.lab.home.frontPort });
  socket.on('error', () => undefined);
  const head = 'POST /api/v1/votes HTTP/1.1\r\nHost: lab\r\n';
  if (isBody === 1) {
    socket.write(
      `${head}x-origin-secret: ${stage.lab.keys.originSecret}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n',
    );
  }
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(isBody === 1 ? '{' : (head[sent % head.length] ?? 'x'));
    sent += 1;
  }, 1000);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}

function sameVote(one: Attempt, two: Attempt): boolean {
  if (one.answer === undefined || two.answer === undefined) return false;
  const { vote_id: id, confirmation_code: code } = one.answer;
  return two.answer.vote_id === id && two.answer.confirmation_code === code;
}

/** New voters one after the other, `atOnce` of them at a time. */
export async function each(
  stage: Stage,
  count: number,
  act: (voter: Voter, number: number) => Promise<void>,
  atOnce = 20,
): Promise<void> {
  const fromMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await act(stage.voters.make(), next);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  stage.loads.push({ fromMs, toMs: performance.now() });
}
