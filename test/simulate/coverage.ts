/** How an await may be hit. `killed`: who awaits ends before or after it was served. */
export const cuts = [
  'request lost',
  'request late',
  'answer lost',
  'answer late',
  'killed before',
  'killed after',
] as const;
export type Cut = (typeof cuts)[number];

/** How often each await was hit by each fault, over all runs. */
export class Coverage {
  readonly #hits = new Map<string, number>();

  hit(point: string, cut: Cut): void {
    const key = `${point}|${cut}`;
    this.#hits.set(key, (this.#hits.get(key) ?? 0) + 1);
  }

  count(point: string, cut: Cut): number {
    return this.#hits.get(`${point}|${cut}`) ?? 0;
  }

  add(entries: readonly (readonly [string, number])[]): void {
    for (const [key, hits] of entries) this.#hits.set(key, (this.#hits.get(key) ?? 0) + hits);
  }

  entries(): [string, number][] {
    return [...this.#hits];
  }
}

export type CutPoint = readonly [point: string, cuts: readonly Cut[]];

/** The table of await × fault, and the cells that were never hit. */
export function coverageTable(
  coverage: Coverage,
  points: readonly CutPoint[],
): { readonly text: string; readonly missed: readonly string[] } {
  const width = Math.max(...points.map(([point]) => point.length));
  const head = `${'await'.padEnd(width)}  ${cuts.map((cut) => cut.padStart(13)).join(' ')}`;
  const missed: string[] = [];
  const rows = points.map(([point, possible]) => {
    const cells = cuts.map((cut) => {
      if (!possible.includes(cut)) return '–'.padStart(13);
      const hits = coverage.count(point, cut);
      if (hits === 0) missed.push(`${point} × ${cut}`);
      return String(hits).padStart(13);
    });
    return `${point.padEnd(width)}  ${cells.join(' ')}`;
  });
  return { text: [head, ...rows].join('\n'), missed };
}
