import type { JSX, TargetedEvent, TargetedSubmitEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api.ts';
import { deviceStore, subtle } from '../browser.ts';
import { formText } from '../form-text.ts';
import {
  type ReceiptClaims,
  type ReceiptKeys,
  type ReceiptVerdict,
  verifyReceipt,
} from '../receipt.ts';
import { loadReceiptKeys } from '../receipt-keys.ts';
import { TOKEN_CHARS_MAX } from '../token.ts';
import { Heading } from './layout.tsx';
import { FieldSummary } from './problem.tsx';
import { useSpeech } from './speaking.ts';

/** Undefined while they are asked for, null when they could not be had. */
type Keys = ReceiptKeys | null | undefined;

/** Checks a receipt on this device alone: once the page is loaded it needs no network. */
export function ReceiptCheck(): JSX.Element {
  const { t } = useSpeech();
  const [keys, setKeys] = useState<Keys>(undefined);
  const [missing, setMissing] = useState(false);
  const [verdict, setVerdict] = useState<ReceiptVerdict | null>(null);

  function load(): void {
    setKeys(undefined);
    void loadReceiptKeys({ ask, store: deviceStore }).then(setKeys);
  }
  useEffect(load, []);

  async function check(text: string): Promise<void> {
    const isMissing = text.trim() === '';
    setMissing(isMissing);
    setVerdict(isMissing || !keys ? null : await verifyReceipt(text, keys, subtle));
  }

  return (
    <>
      <Heading>{t('check.title')}</Heading>
      <p class="lead">{t('check.lead')}</p>
      {missing && <FieldSummary faults={[{ field: 'receipt', text: t('check.missing') }]} />}
      <CheckForm ready={Boolean(keys)} check={check} />
      <KeysLine keys={keys} again={load} />
      {verdict !== null && <Verdict verdict={verdict} />}
    </>
  );
}

function CheckForm(props: { ready: boolean; check: (text: string) => Promise<void> }): JSX.Element {
  const { t } = useSpeech();
  const field = useRef<HTMLTextAreaElement>(null);

  async function open(event: TargetedEvent<HTMLInputElement>): Promise<void> {
    const file = event.currentTarget.files?.[0];
    if (file === undefined || field.current === null) return;
    // A larger file is no receipt: its beginning is read as one, and says so.
    field.current.value = await file.slice(0, TOKEN_CHARS_MAX).text();
    if (props.ready) await props.check(field.current.value);
  }

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (props.ready) void props.check(formText(event.currentTarget, 'receipt'));
  }

  return (
    <form class="card" method="dialog" onSubmit={submit}>
      <label for="receipt-file">{t('check.file')}</label>
      <input
        id="receipt-file"
        type="file"
        accept=".txt,text/plain"
        onChange={(event) => void open(event)}
      />
      <label for="receipt">{t('check.text')}</label>
      <textarea
        id="receipt"
        name="receipt"
        class="id"
        dir="ltr"
        rows={5}
        maxLength={TOKEN_CHARS_MAX}
        autocomplete="off"
        spellcheck={false}
        ref={field}
      />
      <button type="submit" aria-disabled={props.ready ? undefined : 'true'}>
        {t('check.submit')}
      </button>
    </form>
  );
}

function KeysLine(props: { keys: Keys; again: () => void }): JSX.Element {
  const { t } = useSpeech();
  const { keys } = props;
  const state = keys === undefined ? 'loading' : keys === null ? 'none' : 'ready';
  return (
    <>
      <p class="small" role="status">
        {t(`keys.${state}`)}
      </p>
      {keys === null && (
        <button type="button" class="quiet" onClick={props.again}>
          {t('verify.again')}
        </button>
      )}
    </>
  );
}

/** The verdict takes the focus each time, so that it is said and seen. */
function Verdict(props: { verdict: ReceiptVerdict }): JSX.Element {
  const { t } = useSpeech();
  const { verdict } = props;
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), [verdict]);
  const isGood = verdict.kind === 'good';
  return (
    <section
      class={isGood ? 'receipt' : 'problem'}
      aria-labelledby="verdict"
      role={isGood ? undefined : 'alert'}
      tabIndex={-1}
      ref={box}
    >
      <h2 id="verdict">{t(`verdict.${verdict.kind}`)}</h2>
      <p>{t(`verdict.${verdict.kind}.text`)}</p>
      {isGood && <Claims receipt={verdict.receipt} kid={verdict.kid} />}
    </section>
  );
}

function Claims(props: { receipt: ReceiptClaims; kid: string }): JSX.Element {
  const { t, has, moment } = useSpeech();
  const { receipt, kid } = props;
  const durability = `durability.${receipt.durability}`;
  return (
    <>
      <dl>
        <Claim name={t('receipt.vote')} value={receipt.vote_id} />
        <Claim name={t('check.session')} value={receipt.session_id} />
        <dt>{t('receipt.accepted')}</dt>
        <dd>
          <time dateTime={receipt.accepted_at}>{moment(receipt.accepted_at)}</time>{' '}
          <bdi dir="ltr" class="id">
            {receipt.accepted_at}
          </bdi>
        </dd>
        <dt>{t('check.place')}</dt>
        <dd>
          {t('check.place.text', {
            region: receipt.region,
            partition: receipt.partition,
            offset: receipt.offset,
          })}
        </dd>
        <dt>{t('check.durability')}</dt>
        <dd>{has(durability) ? t(durability) : <bdi>{receipt.durability}</bdi>}</dd>
        <Claim name={t('check.key')} value={kid} />
      </dl>
      <p class="hint">{t('check.limits')}</p>
    </>
  );
}

function Claim(props: { name: string; value: string }): JSX.Element {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        <bdi dir="ltr" class="id">
          {props.value}
        </bdi>
      </dd>
    </>
  );
}
