/**
 * JSON of a request, strictly: one object, no member twice, no `__proto__`. RFC 8259 section 4
 * leaves open what a repeated member means, so two readers of one body could see two votes.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Nesting a request may have: ours have two levels. */
const depthMax = 8;

/** The object, or undefined for anything that is not strictly one. */
export function parseStrictObject(text: string): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return hasOnlyDistinctMembers(text) ? (value as JsonObject) : undefined;
}

/** Scans text that is known to be JSON: a string followed by a colon is a member's name. */
function hasOnlyDistinctMembers(text: string): boolean {
  const namesByDepth: Set<string>[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      namesByDepth[depth++] = new Set();
      if (depth > depthMax) return false;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (isFollowedByColon(text, end + 1)) {
        const name = JSON.parse(text.slice(at, end + 1)) as string;
        const names = namesByDepth[depth - 1]!;
        if (name === '__proto__' || names.has(name)) return false;
        names.add(name);
      }
      at = end;
    }
  }
  return true;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}
