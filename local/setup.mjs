// Installs whatever this machine lacks, then gets out of the way. Runs before anything is
// installed, under the Node that happens to be there: plain Node >= 18, no dependency, no
// TypeScript. Options: --for-tests (also Chromium, faketime and a second Postgres), --quiet
// (prints nothing when there is nothing to do).

import { mkdirSync } from 'node:fs';
import { installChromium } from './setup/chromium.mjs';
import { installFaketime } from './setup/faketime.mjs';
import { installJava } from './setup/java.mjs';
import { installKafka } from './setup/kafka.mjs';
import { checkNode24, installPackages } from './setup/packages.mjs';
import { buildPages } from './setup/pages.mjs';
import { completePostgres, completePostgres15 } from './setup/postgres.mjs';
import { installRedis } from './setup/redis.mjs';
import { checkMachine, explain, SetupError, tools, toolsDir } from './setup/shared.mjs';

const known = new Set(['--for-tests', '--quiet']);

async function main(args) {
  const unknown = args.find((arg) => !known.has(arg));
  if (unknown) throw new SetupError(`Unknown option ${unknown}. Options: --for-tests, --quiet.`);
  const startedAt = Date.now();
  mkdirSync(toolsDir, { recursive: true });
  checkMachine();
  installPackages();
  checkNode24();
  installJava();
  await installKafka();
  installRedis();
  completePostgres();
  if (args.includes('--for-tests')) {
    completePostgres15();
    installChromium();
    installFaketime();
  }
  tools.save();
  buildPages();
  if (!args.includes('--quiet')) {
    console.log(`setup: everything is in place (${Date.now() - startedAt} ms)`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`setup: ${explain(error)}`);
  process.exit(1);
}
