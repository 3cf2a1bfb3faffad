import type { ApprovalKeys } from '#common/contracts/act.ts';
import { verifyStatement } from '#common/contracts/final.ts';
import { sealFault } from '#common/contracts/seal.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { CheckControls } from './worker.ts';

interface Parts {
  /** The log that is read. */
  readonly logName: string;
  /** Keys that may seal this log. */
  readonly sealKeys: () => Promise<PublicKeys>;
  readonly approvalKeys: () => Promise<ApprovalKeys>;
}

/**
 * Verifies seals and final statements. They are rare (one a partition and session), so the keys are
 * read from the store each time and are always those in force.
 */
export function createControlCheck({ logName, sealKeys, approvalKeys }: Parts): CheckControls {
  return async (records) => {
    const [seals, approvals] = await Promise.all([sealKeys(), approvalKeys()]);
    return records.map((record) => {
      if (record.kind === 'seal') {
        return sealFault(record.seal, { log: logName, partition: record.partition }, seals);
      }
      if (record.final.act.session_id !== record.sessionId) return 'result of another session';
      const verdict = verifyStatement(record.final, approvals);
      return verdict.ok ? undefined : `final statement is not agreed: ${verdict.reason}`;
    });
  };
}
