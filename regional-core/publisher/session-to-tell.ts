import {
  type FinalResult,
  resultsAudience,
  type SessionMessage,
} from '#common/contracts/session.ts';

/**
 * What to tell of a session, given what was told: never an older version, and one final result for
 * ever. A database that lost its last commits says less for a while; those who listen do not hear.
 */
export function sessionToTell(
  read: SessionMessage,
  told: SessionMessage | undefined,
  nowMs: number,
): SessionMessage {
  const now = withoutHiddenCounts(read, nowMs);
  if (told === undefined || told.session_id !== read.session_id) return now;
  if (isOlder(read, told)) return told;
  if (!told.final) return now;
  const sealedAtMs = now.sealed_at_ms ?? told.sealed_at_ms ?? null;
  return { ...now, sealed_at_ms: sealedAtMs, final: firstOf(told.final, now.final) };
}

/** True when the database holds another final result than the one that was told. */
export function contradictsFinal(read: SessionMessage, told: SessionMessage | undefined): boolean {
  return Boolean(told?.final && read.final && told.final.digest !== read.final.digest);
}

/** The result that was told first; a release may bring the counts that were hidden then. */
function firstOf(told: FinalResult, read: FinalResult | null | undefined): FinalResult {
  return told.counts === null && read?.digest === told.digest ? read : told;
}

/** Who may see nothing gets nothing: the counts do not leave the database. */
function withoutHiddenCounts(session: SessionMessage, nowMs: number): SessionMessage {
  if (!session.final || resultsAudience(session, nowMs) !== 'nobody') return session;
  return { ...session, final: { ...session.final, counts: null } };
}

function isOlder(read: SessionMessage, told: SessionMessage): boolean {
  if (read.epoch !== told.epoch) return read.epoch < told.epoch;
  return read.version < told.version;
}
