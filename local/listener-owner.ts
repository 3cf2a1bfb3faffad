import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';

/**
 * Whether a process itself listens on all these ports. A probe alone may be answered by another
 * program, another checkout's stack say, that took the port in the meantime.
 */
export async function listensOn(pid: number, ports: readonly number[]): Promise<boolean> {
  if (ports.length === 0) return true;
  const sockets = await socketsOf(pid);
  // Not ours to look at: then the probe's word has to do.
  if (sockets === undefined) return true;
  const tables = await Promise.all(['tcp', 'tcp6'].map(readTable));
  const inodes = tables.flat();
  return ports.every((port) =>
    inodes.some((entry) => entry.port === port && sockets.has(entry.inode)),
  );
}

/** The kernel's listening sockets; addresses are hexadecimal, `0100007F:1F90` is 127.0.0.1:8080. */
async function readTable(name: string): Promise<{ port: number; inode: string }[]> {
  const table = await readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, address = '', , state] = fields;
    const inode = fields[9];
    if (state !== LISTEN || inode === undefined) return [];
    return [{ port: Number.parseInt(address.split(':').at(-1) ?? '', 16), inode }];
  });
}

async function socketsOf(pid: number): Promise<Set<string> | undefined> {
  try {
    const folder = `/proc/${pid}/fd`;
    const links = await Promise.all(
      (await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => '')),
    );
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch {
    return undefined;
  }
}
