/**
 * What a store or a broker does wrong when a planted bug asks for it; production has neither the
 * bugs nor a way to ask for them.
 */
export const flawNames = [
  /** A broker acknowledges alone, and takes with it what it had not passed on. */
  'acks-one',
  /** Offsets are written, not compared. */
  'no-fence',
  /** Tallies follow what was read, not what was inserted. */
  'tally-from-log',
  /** What is read after closing by the store's clock is late, whenever it was accepted. */
  'late-by-clock',
  /** The offsets are written by a transaction of their own. */
  'offsets-apart',
] as const;
export type FlawName = (typeof flawNames)[number];

export function isFlawName(text: string): text is FlawName {
  return flawNames.some((name) => name === text);
}
