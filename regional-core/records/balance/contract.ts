import { z } from 'zod';

const records = z.int().min(0);
const offsets = z.record(z.string(), z.array(records));

/** Internal: the edge has no behaviour for this address, so it stands in no public description. */
export const balanceAnswer = z.object({
  session_id: z.uuid(),
  accepted: records,
  counted: records,
  duplicate: records,
  replayed: records,
  late: records,
  quarantined: records,
  void: records,
  pending: z.int(),
  /** Seals and final statements; no votes, and in none of the numbers above. */
  control: records,
  /** Records of lost regions' logs that nobody reads any more; in none of the numbers above. */
  unread: records,
  /** Records by which log and verdicts differ; 0 when all is well. */
  off: records,
  /** Next offset per partition, by log, of both readers, at the moment compared. */
  as_of: z.object({ log: offsets, ledger: offsets }),
  /** The last reading of each minute, oldest first, an hour of them. */
  minutes: z.array(
    z.object({
      minute: z.iso.datetime(),
      accepted: records,
      counted: z.int(),
      duplicate: records,
      replayed: records,
      late: records,
      quarantined: records,
      void: records,
      control: records,
      pending: z.int(),
      off: records,
    }),
  ),
});

export type BalanceAnswer = z.infer<typeof balanceAnswer>;
