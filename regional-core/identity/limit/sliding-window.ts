/**
 * A sliding window counted with two numbers: what was taken in the current window, and what in the
 * one before it, weighted by the part of it that the sliding window still covers.
 */
export interface WindowState {
  /** Number of the current window since the epoch. */
  readonly window: number;
  readonly current: number;
  readonly previous: number;
}

export interface Limit {
  /** Names the limit in keys and metrics. */
  readonly name: string;
  readonly max: number;
  readonly windowMs: number;
}

/** The state at `nowMs`, and how much of the limit it has used up. */
function rollWindow(
  state: WindowState | undefined,
  limit: Limit,
  nowMs: number,
): { state: WindowState; used: number } {
  const window = Math.floor(nowMs / limit.windowMs);
  const coveredOfPrevious = 1 - (nowMs % limit.windowMs) / limit.windowMs;
  const rolled = roll(state ?? { window, current: 0, previous: 0 }, window);
  return { state: rolled, used: rolled.previous * coveredOfPrevious + rolled.current };
}

function roll(state: WindowState, window: number): WindowState {
  // A state of the future was written by a process whose clock is ahead: it is as good as now.
  if (state.window >= window) return { ...state, window };
  const previous = state.window === window - 1 ? state.current : 0;
  return { window, current: 0, previous };
}

/** Takes one if the limit has room. */
export function takeOne(
  before: WindowState | undefined,
  limit: Limit,
  nowMs: number,
): { state: WindowState; taken: boolean } {
  const { state, used } = rollWindow(before, limit, nowMs);
  if (used >= limit.max) return { state, taken: false };
  return { state: { ...state, current: state.current + 1 }, taken: true };
}

/** Gives back one that was taken for an attempt that turned out well. */
export function giveBackOne(
  before: WindowState | undefined,
  limit: Limit,
  nowMs: number,
): WindowState {
  const { state } = rollWindow(before, limit, nowMs);
  return { ...state, current: Math.max(0, state.current - 1) };
}
