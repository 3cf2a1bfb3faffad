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
  /** Next offset per partition, by region, of both readers, at the moment compared. */
  as_of: z.object({ log: offsets, ledger: offsets }),
});

export type BalanceAnswer = z.infer<typeof balanceAnswer>;
