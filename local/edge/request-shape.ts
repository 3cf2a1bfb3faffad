import type { IncomingMessage } from 'node:http';

/** CloudFront's own bound on an address. */
const targetCharsMax = 8192;

export type Target = { readonly path: string; readonly query: string };

/**
 * Path and query of a request, or the status it is refused with. Stricter than CloudFront, which
 * normalises a path to choose the behaviour but sends it to the origin as it came: here, what
 * could be read in two ways is refused (400), so that one address has one behaviour and one cache
 * key.
 */
export function readTarget(url: string): Target | 400 | 414 {
  if (url.length > targetCharsMax) return 414;
  if (!url.startsWith('/') || url.startsWith('//')) return 400;
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  if (!isPlain(path)) return 400;
  return { path, query: mark === -1 ? '' : url.slice(mark) };
}

/** No backslash, no control, no dot segment, no escape of what would be read as path syntax. */
function isPlain(path: string): boolean {
  if (/[^!"$-[\]-~]/.test(path)) return false;
  if (path.includes('/.') && /\/\.{1,2}(\/|$)/.test(path)) return false;
  if (!path.includes('%')) return true;
  const escapes = path.match(/%.{0,2}/g) ?? [];
  return escapes.every((escape) => {
    const code = /^%[0-9A-Fa-f]{2}$/.test(escape) ? Number.parseInt(escape.slice(1), 16) : 0;
    // Letters, digits and - . _ ~ need no escape (RFC 3986 section 2.3); / \ and controls may not
    // be smuggled in as one.
    return code >= 0x20 && code !== 0x7f && !/[\w.~/\\-]/.test(String.fromCharCode(code));
  });
}

/** What a viewer may name in Connection. Anything else would have a header of ours taken off. */
const connectionOptions = new Set(['keep-alive', 'close', 'te', 'upgrade', 'http2-settings']);

/** True when the request, its target aside, is one that CloudFront would take. */
export function hasPlainShape(request: IncomingMessage): boolean {
  const { connection } = request.headers;
  if (connection !== undefined && connection !== 'keep-alive') {
    const named = connection.toLowerCase().split(',');
    if (named.some((option) => !connectionOptions.has(option.trim()))) return false;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return true;
  // CloudFront answers 403 to a GET with a body; two readers may disagree about where it ends.
  const length = request.headers['content-length'] ?? '0';
  return length === '0' && request.headers['transfer-encoding'] === undefined;
}
