// npm run recover -- --region NAME --key FILE: declare a region lost; two people do it.

import { parseArgs } from 'node:util';
import { SECOND_MS, systemClock } from '#common/clock.ts';
import { type TopicName, topicName } from '#common/contracts/topics.ts';
import { readLogBounds } from '#common/kafka.ts';
import { runCommand, signerOf } from './command.ts';
import { recoverRegion } from './recover-region.ts';

const usage = `Usage: npm run recover -- --region NAME --key FILE [OPTIONS]
  --region NAME          the region that does not come back, such as us-east-1
  --key FILE             your own key, made by npm run approve -- key
  --password-file FILE   your password for the portal; asked for when not given
  --wait SECONDS         how long its copies may take to be read, 1 to 3600 (default 300)
Its log is never read again. Another person runs the same with his key; again, it changes nothing.`;

/** Reads the command line. Throws an Error with one sentence. */
export function parseRecoverOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      region: { type: 'string' },
      key: { type: 'string' },
      'password-file': { type: 'string' },
      wait: { type: 'string', default: '300' },
    },
  });
  const { region, key, 'password-file': passwordFile, wait } = values;
  if (region === undefined) throw new Error('--region is missing');
  if (key === undefined) throw new Error('--key is missing');
  if (!/^[1-9]\d{0,3}$/.test(wait) || Number(wait) > 3600) {
    throw new Error(`--wait must be a whole number from 1 to 3600, not "${wait}"`);
  }
  return { region, key, passwordFile, readMsMax: Number(wait) * SECOND_MS };
}

if (import.meta.main) {
  await runCommand(usage, parseRecoverOptions, async (options, stack) => {
    const { region, key, passwordFile, readMsMax } = options;
    const signer = await signerOf(stack, key, passwordFile);
    const endOf = async (name: string, topic: TopicName): Promise<readonly number[]> => {
      const kafka = stack.regions.find((place) => place.name === name)?.kafka;
      if (kafka === undefined) throw new Error(`The region ${name} does not run here.`);
      return readLogBounds(
        { brokers: [kafka], clientId: 'recover' },
        topicName('', topic),
        'latest',
      );
    };
    await recoverRegion(
      {
        ...signer,
        copiesEnd: (host) => endOf(host, 'vote-standby'),
        ownEnd: (lost) => endOf(lost, 'vote-submitted'),
        write: (text) => void process.stdout.write(text),
        clock: systemClock,
        readMsMax,
      },
      region,
    );
  });
}
