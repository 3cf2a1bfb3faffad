import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../api.ts';
import { explain, type Standing } from '../explain.ts';
import { useSpeech } from './speaking.ts';

/** What went wrong: what it means for the vote, why, what to do, and what to quote to support. */
export function ProblemSummary(props: {
  problem: Problem;
  standing: Standing;
  /**
   * Something that happened in the background: said, but it does not take the focus from a field.
   */
  quiet?: boolean;
}): JSX.Element {
  const speech = useSpeech();
  const { t } = speech;
  const told = explain(props.problem, props.standing, speech);
  const box = useFocus(props.quiet === true ? null : props.problem);
  return (
    <div class="problem" role={props.quiet === true ? 'status' : 'alert'} tabIndex={-1} ref={box}>
      <h2>{t('problem.title')}</h2>
      <p>
        <strong>{told.vote}</strong>
      </p>
      <p>
        {told.reason} {told.todo}
      </p>
      {told.requestId !== null && (
        <p class="small">
          {t('problem.reference')} <bdi dir="ltr">{told.requestId}</bdi>
        </p>
      )}
    </div>
  );
}

/** What must be mended in a form, each with a link to its field. */
export function FieldSummary(props: {
  faults: readonly { field: string; text: string }[];
}): JSX.Element | null {
  const { t } = useSpeech();
  const box = useFocus(props.faults);
  if (props.faults.length === 0) return null;
  return (
    <div class="problem" role="alert" tabIndex={-1} ref={box}>
      <h2>{t('problem.form')}</h2>
      <ul>
        {props.faults.map((fault) => (
          <li key={fault.field}>
            <a
              href={`#${fault.field}`}
              onClick={(event) => {
                event.preventDefault();
                document.getElementById(fault.field)?.focus();
              }}
            >
              {fault.text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Moves the focus to the box each time it has something new to say. */
function useFocus(news: unknown): { current: HTMLDivElement | null } {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (news !== null) box.current?.focus();
  }, [news]);
  return box;
}
