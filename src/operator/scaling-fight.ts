/** So many changes by others within so long, and we give way. */
const FIGHT = { changes: 3, withinMs: 5 * 60_000 };

/** Who sets the number of workers: we, or others against us. */
export interface ScalingFight {
  /** The number as we left it; undefined: we have set none yet. */
  readonly ours: number | undefined;
  /** When others were found to have changed it, Unix milliseconds. */
  readonly foreign: readonly number[];
}

export const NO_FIGHT: ScalingFight = { ours: undefined, foreign: [] };

/** The number of workers as it is found before we touch it. */
export function found({ ours, foreign }: ScalingFight, replicas: number, now: number): ScalingFight {
  const recent = foreign.filter((at) => now - at < FIGHT.withinMs);
  if (ours === undefined || ours === replicas) return { ours, foreign: recent };
  return { ours: replicas, foreign: [...recent, now] };
}

/** Somebody else (an autoscaler, a GitOps tool) keeps changing the number: the two of us would never come to an end. */
export function isFight({ foreign }: ScalingFight): boolean {
  return foreign.length >= FIGHT.changes;
}
