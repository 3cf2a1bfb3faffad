import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { StaticOrigin } from '../../edge-config/read.ts';

/** A file as it is sent. */
export interface StaticAnswer {
  readonly headers: readonly string[];
  readonly etag: string;
  readonly body: Buffer;
}

type Encoding = 'br' | 'gzip' | 'identity';

interface Loaded {
  readonly modifiedMs: number;
  readonly bodies: Readonly<Record<Encoding, Buffer>>;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const compressible = new Set(['.html', '.js', '.css', '.json', '.svg', '.txt', '.webmanifest']);
const fileBytesMax = 4 * 1024 * 1024;
const filesMax = 500;
const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) };

/** Addresses of the page itself that name no language; the page reads the rest of the address. */
const pageSegments = new Set(['', 's', 'verify']);

/**
 * The files of an origin, as a bucket would serve them: hashed assets for ever, pages always asked
 * for again. A path without an extension is a place within the page: the index of its language.
 * Files are kept in memory and read again when they change on disk.
 */
export class StaticFiles {
  readonly #directory: URL;
  readonly #named: ReadonlyMap<string, URL>;
  readonly #loaded = new Map<string, Loaded>();

  constructor(root: URL, origin: StaticOrigin) {
    this.#directory = new URL(`${origin.Directory}/`, root);
    this.#named = new Map(
      Object.entries(origin.Files).map(([path, file]) => [path, new URL(file, root)]),
    );
  }

  /** The file for a path, undefined when there is none. Never leaves the origin's directory. */
  async find(path: string, acceptEncoding: string): Promise<StaticAnswer | undefined> {
    for (const file of this.#candidates(path)) {
      const loaded = await this.#load(file);
      if (loaded !== undefined) return answerOf(path, file, loaded, acceptEncoding);
    }
    return undefined;
  }

  #candidates(path: string): URL[] {
    const named = this.#named.get(path);
    if (named !== undefined) return [named];
    // Plain names only: no escapes, no dot segments, no hidden files.
    if (!/^\/[\w./-]*$/.test(path) || path.includes('/.') || path.includes('//')) return [];
    const within = (relative: string): URL => new URL(relative, this.#directory);
    if (extname(path) !== '') return [within(path.slice(1))];
    const [first = ''] = path.slice(1).split('/');
    if (pageSegments.has(first)) return [within('index.html'), within('en/index.html')];
    return [within(`${first}/index.html`)];
  }

  async #load(file: URL): Promise<Loaded | undefined> {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() !== true || found.size > fileBytesMax) return undefined;
    const known = this.#loaded.get(file.pathname);
    if (known?.modifiedMs === found.mtimeMs) return known;
    const identity = await readFile(file);
    const small = !compressible.has(extname(file.pathname)) || identity.length < 512;
    const loaded = {
      modifiedMs: found.mtimeMs,
      etag: createHash('sha256').update(identity).digest('base64url').slice(0, 22),
      bodies: {
        identity,
        br: small ? identity : await compress.br(identity),
        gzip: small ? identity : await compress.gzip(identity),
      },
    };
    if (this.#loaded.size >= filesMax) this.#loaded.clear();
    this.#loaded.set(file.pathname, loaded);
    return loaded;
  }
}

function answerOf(path: string, file: URL, loaded: Loaded, accepted: string): StaticAnswer {
  const wanted = encodingOf(accepted);
  const body = loaded.bodies[wanted];
  const encoding = body === loaded.bodies.identity ? 'identity' : wanted;
  const extension = extname(file.pathname);
  const etag = `"${loaded.etag}-${encoding}"`;
  const headers = [
    'content-type',
    types[extension] ?? 'application/octet-stream',
    'cache-control',
    path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    'etag',
    etag,
    'vary',
    'accept-encoding',
  ];
  if (encoding !== 'identity') headers.push('content-encoding', encoding);
  return { headers, etag, body };
}

function encodingOf(accepted: string): Encoding {
  if (/\bbr\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted)) return 'br';
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted) ? 'gzip' : 'identity';
}
