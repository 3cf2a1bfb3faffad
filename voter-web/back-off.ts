/**
 * How long to wait before the next try: doubling from `firstMs` up to `longestMs`, of which a
 * random half is taken off, so that a million pages cut off together do not come back together.
 *
 * @param tries how many tries have failed so far, from 1
 * @param random a number in [0, 1)
 * @returns milliseconds in (longest / 2, longest] of that step
 */
export function backOffMs(
  tries: number,
  random: number,
  firstMs: number,
  longestMs: number,
): number {
  const step = Math.min(longestMs, firstMs * 2 ** Math.min(Math.max(tries, 1) - 1, 30));
  return Math.round(step - (step / 2) * random);
}
