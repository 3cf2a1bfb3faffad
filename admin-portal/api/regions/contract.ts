import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

const logAnswer = z.object({
  log: z.string(),
  stands_for: z.string().nullable().describe('The region whose copies it holds.'),
  live: z.boolean().describe('Read: a region until it is lost, its copies from then on.'),
  lost_at: z.iso.datetime().nullable(),
  lost_by: z.string().nullable().describe('Hash of the act.'),
  next_offsets: z.array(z.int()).describe('By partition, what is read next.'),
  outstanding: z.int().describe('Records not read yet; of a lost region, never.'),
});

const regionsAnswer = z.object({ epoch: z.int(), logs: z.array(logAnswer) });

export type RegionsAnswer = z.infer<typeof regionsAnswer>;

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/regions': {
    get: {
      operationId: 'listRegions',
      summary: 'Every log of votes, how far it was read, and which regions are lost.',
      responses: {
        200: {
          description: 'The logs',
          content: { 'application/json': { schema: regionsAnswer } },
        },
        ...problems('invalid_token', 'forbidden', 'not_ready'),
      },
    },
  },
};
