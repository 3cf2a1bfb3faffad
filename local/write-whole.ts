import { rename, writeFile } from 'node:fs/promises';

/** Writes beside and renames: a reader meets the old content or the new, never a half. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  await writeFile(beside, text, { mode });
  await rename(beside, path);
}
