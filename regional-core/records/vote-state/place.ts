import { ServiceError } from '#common/errors.ts';
import type { Place } from '../sql/read-vote-state.ts';

const placePattern = /^([\w.-]{1,64})\/(\d{1,4})\/(\d{1,15})$/;

/** Reads `?at=region/partition/offset`; undefined when absent. Throws `invalid_request`. */
export function readPlace(at: string | readonly string[] | undefined): Place | undefined {
  if (at === undefined) return undefined;
  const [, region, partition, offset] = placePattern.exec(String(at)) ?? [];
  if (region === undefined) {
    throw new ServiceError('invalid_request', {
      message: 'at must be region/partition/offset, such as us-east-1/7/1234.',
    });
  }
  return { region, partition: Number(partition), offset: Number(offset) };
}
