import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { actBodyBytesMax } from '#common/contracts/act.ts';
import { problems } from '#common/problem-contract.ts';
import { foundAct } from '../contract.ts';

export const proposalForm = z.strictObject({ body: z.string().min(1).max(actBodyBytesMax) });

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/acts': {
    post: {
      operationId: 'proposeAct',
      summary: 'Propose what two people are to decide; the same body again is the same act.',
      requestBody: { content: { 'application/json': { schema: proposalForm } } },
      responses: {
        201: foundAct,
        ...problems(
          'invalid_token',
          'forbidden',
          'act_conflict',
          'body_too_large',
          'unsupported_media_type',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
