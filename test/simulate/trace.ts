/**
 * What happened in a run, in order: as a hash always (the same seed must give the same one), as
 * lines when somebody wants to read it.
 */
export class Trace {
  #hash = 0x811c9dc5;
  readonly lines: string[] | undefined;

  constructor(isKept: boolean) {
    this.lines = isKept ? [] : undefined;
  }

  add(atMs: number, who: string, what: string, how: string): void {
    this.#mix(Math.round(atMs * 1000));
    this.#mixText(who);
    this.#mixText(what);
    this.#mixText(how);
    if (this.lines !== undefined) {
      this.lines.push(`${atMs.toFixed(1).padStart(9)}  ${who.padEnd(22)} ${what} ${how}`);
    }
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  // FNV-1a: short, and enough to tell two runs apart.
  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value & 0xffff), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ (value >>> 16), 0x01000193);
  }

  #mixText(text: string): void {
    for (let at = 0; at < text.length; at++) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193);
    }
  }
}
