import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { closeGracefully, createHttpServer, listen } from '#common/http-server.ts';

const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

/** One request on a connection that is kept alive; gives the status. */
async function ask(agent: Agent, port: number): Promise<number> {
  const sent = request({ agent, port, host: '127.0.0.1' });
  sent.end();
  const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

test('closing answers what is under way, and ends although a client never pauses', async () => {
  const server = createHttpServer((_request, response) => {
    setTimeout(() => response.end('answered'), 20);
  });
  const port = await listen(server, '127.0.0.1', 0);
  const agent = keepAlive();
  const asking = (async () => {
    for (;;) if ((await ask(agent, port).catch(() => 'refused')) === 'refused') return;
  })();
  await sleep(100);
  const startedMs = performance.now();
  await closeGracefully(server);
  expect(performance.now() - startedMs).toBeLessThan(1000);
  await asking;
});

test('an idle connection does not hold the closing up', async () => {
  const server = createHttpServer((_request, response) => void response.end('answered'));
  const port = await listen(server, '127.0.0.1', 0);
  expect(await ask(keepAlive(), port)).toBe(200);
  const startedMs = performance.now();
  await closeGracefully(server);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
