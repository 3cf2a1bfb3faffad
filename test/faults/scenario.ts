import type { LabShape } from './lab/lab.ts';
import type { Stage } from './stage.ts';

export type Scale = 'short' | 'full';

/**
 * One fault: what is done to the system under load. The runner gives it a healthy lab and a session
 * of its own, heals the lab afterwards, waits until everything is counted, and lets the checker
 * judge; a scenario adds with `stage.expect` what holds for it alone.
 */
export interface Scenario {
  /** As in the catalogue: `F24`. */
  readonly id: string;
  /** The fault, in a few words, for the table. */
  readonly fault: string;
  /** What the lab does, and what stands in for what cannot be here; for the table. */
  readonly done: (scale: Scale) => string;
  readonly needs?: Partial<LabShape>;
  /** Leaves a lab that cannot be healed: it gets one of its own. */
  readonly isDestructive?: boolean;
  /** The session closes so long after the scenario begins; an hour when not given. */
  readonly closesInS?: (scale: Scale) => number;
  readonly run: (stage: Stage) => Promise<void>;
}

/** A fault that the lab does not cause, and where it is caused, or why it cannot be. */
export interface Elsewhere {
  readonly id: string;
  readonly fault: string;
  readonly elsewhere: string;
}
