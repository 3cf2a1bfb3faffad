import { rename, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { type Receipt, verifyReceipt } from '#common/contracts/receipt.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createSigningKey } from '../../support/votes.ts';
import {
  type Answer,
  openBallot,
  postUntilLetIn as post,
  privateJwk,
  receiptKey,
  receiptKeyPath,
  untilDone,
  vote,
} from './intake-under-test.ts';

/** The receipt key changes under an intake that takes votes all the time. */
const next = createSigningKey();
const jwks = importPublicKeys([receiptKey.publicJwk, next.publicJwk]);
/** Intake looks at the file every 2 s. */
const noticedMsMax = 4000;

interface Cast {
  readonly answer: Answer;
  readonly voter: ReturnType<typeof openBallot>;
}

async function cast(voter = openBallot()): Promise<Cast> {
  const answer = await post(vote('tea'), { token: voter.token });
  return { answer, voter };
}

function kidOf({ answer }: Cast): string {
  const [header = ''] = String(answer.body['receipt']).split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  return kid;
}

const receiptOf = ({ answer }: Cast): Receipt | undefined =>
  verifyReceipt(String(answer.body['receipt']), jwks);

/** Four voters at a time, one after the other, until a receipt carries this key. */
async function castUntilSignedBy(kid: string, casts: Cast[]): Promise<void> {
  const deadlineMs = performance.now() + noticedMsMax;
  const line = async (): Promise<void> => {
    for (;;) {
      const one = await cast();
      casts.push(one);
      if (kidOf(one) === kid || performance.now() > deadlineMs) return;
    }
  };
  await Promise.all(Array.from({ length: 4 }, line));
}

test('under concurrent votes a new key takes over, and every receipt is good by its own key', async () => {
  const first = await cast();
  await untilDone(first.voter.ballot.vote_id);
  const casts: Cast[] = [];
  const casting = castUntilSignedBy(next.kid, casts);
  await writeFile(`${receiptKeyPath}.new`, privateJwk(next));
  await rename(`${receiptKeyPath}.new`, receiptKeyPath);
  await casting;
  expect(casts.map(({ answer }) => answer.status)).toEqual(casts.map(() => 201));
  expect(new Set(casts.map(kidOf))).toEqual(new Set([receiptKey.kid, next.kid]));
  for (const one of casts) {
    expect(receiptOf(one)).toMatchObject({ vote_id: one.voter.ballot.vote_id });
  }
  // What was answered before is answered again to the letter, with the signature of then.
  const again = await cast(first.voter);
  expect(again.answer.body).toEqual(first.answer.body);
});

test('a key that is gone or garbled at run time changes nothing for voters', async () => {
  const { kid } = next;
  await castUntilSignedBy(kid, []);
  await rm(receiptKeyPath);
  await sleep(2500);
  expect([kidOf(await cast()), (await cast()).answer.status]).toEqual([kid, 201]);
  await writeFile(receiptKeyPath, '{"kty":"OKP"');
  await sleep(2500);
  expect(kidOf(await cast())).toBe(kid);
});
