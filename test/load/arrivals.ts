/**
 * When voters arrive. The schedule is fixed before the run and does not know the answers, so a slow
 * server meets the same crowd as a fast one (no coordinated omission).
 */
export const curves = ['flat', 'opening', 'spike'] as const;
export type Curve = (typeof curves)[number];

/**
 * [share of the time, multiple of the mean rate]; the products add up to 1.
 * opening: the rush when voting opens, then the rest. spike: one moment on stage in the middle.
 */
const shapes: Readonly<Record<Curve, readonly (readonly [number, number])[]>> = {
  flat: [[1, 1]],
  opening: [
    [0.1, 3],
    [0.2, 1.5],
    [0.7, 4 / 7],
  ],
  spike: [
    [0.45, 0.75],
    [0.1, 3.25],
    [0.45, 0.75],
  ],
};

/**
 * Milliseconds from the start at which arrival number `index` (from 0) is due, out of `count`
 * spread over `durationMs`. Rises with the index and stays below `durationMs`.
 */
export function arrivalMs(curve: Curve, index: number, count: number, durationMs: number): number {
  const wanted = index / count;
  let arrivedBefore = 0;
  let timeBefore = 0;
  for (const [time, rate] of shapes[curve]) {
    const arrived = time * rate;
    if (wanted < arrivedBefore + arrived) {
      return (timeBefore + (wanted - arrivedBefore) / rate) * durationMs;
    }
    arrivedBefore += arrived;
    timeBefore += time;
  }
  // Rounding of the shares left the last arrivals beyond the last piece.
  return durationMs * (1 - Number.EPSILON);
}
