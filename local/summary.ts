import { randomBytes } from 'node:crypto';
import { printableCodes, readVotingCodeKey } from './cli/codes.ts';
import type { Places } from './places.ts';
import type { StackFile } from './stack-file.ts';

const DEMO_CODES = 3;

/** What a human needs to know when the stack is ready, with fresh voting codes to try. */
export function summary(stack: StackFile, places: Places, isDetached: boolean): string {
  const { demo, promise, regions } = stack;
  const copies = promise.kafkaCopies === 1 ? '1 copy' : `${promise.kafkaCopies} copies`;
  const key = readVotingCodeKey(places.secrets);
  const codes = [...printableCodes(key, demo.session_id, DEMO_CODES, randomBytes)];
  const lines = [
    '',
    '  Ready.',
    '',
    `  Vote       ${stack.edge}/?session=${demo.session_id}`,
    `             with one of the codes ${codes.join('  ')}`,
    `             or an account: register there, the mail comes to the mailbox`,
    `  Mailbox    ${stack.mailbox}`,
    `  Portal     ${stack.portal}`,
    `             ${demo.admin.email}  ${demo.admin.password}`,
    `             ${demo.second.email}  ${demo.second.password}  (two people decide)`,
    ...(regions.length > 1 ? regions.map(({ name, url }) => `  ${name.padEnd(10)} ${url}`) : []),
    `  Promise    durability ${promise.durability}: ${copies} in each Kafka (declared, read back);`,
    `             clock right to ${promise.clockErrorMs} ms (declared, compared with its peers)`,
    '',
    `  More codes: npm run -s codes -- --session ${demo.session_id} --count 10`,
    `  To end it:  ${isDetached ? '' : 'Ctrl-C here, or '}npm stop`,
    '',
    '',
  ];
  return lines.join('\n');
}
