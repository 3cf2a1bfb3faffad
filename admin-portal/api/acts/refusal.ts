import { ServiceError } from '#common/errors.ts';

/** Gives the database's own sentence to people. Throws `act_conflict`, or what it was. */
export async function asConflict<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 'VT409') throw new ServiceError('act_conflict', { message, cause: error });
    throw error;
  }
}
