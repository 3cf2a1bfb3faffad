import { randomBytes } from 'node:crypto';

/** W3C Trace Context level 1, section 3.2: version 00, trace id, parent id, flags. */
export const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const noTrace = '0'.repeat(32);

/** The trace id a request arrived with, or a new one: 32 hex digits. */
export function requestTrace(traceparent: string): string {
  const traceId = traceparentPattern.exec(traceparent)?.[1];
  return traceId === undefined || traceId === noTrace ? randomBytes(16).toString('hex') : traceId;
}
