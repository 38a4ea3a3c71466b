/** So many changes by others within so long, and we give way. */
const FIGHT = { changes: 3, withinMs: 5 * 60_000 };

/** Who sets the number of workers: we, or others against us. */
export interface ScalingFight {
  /** The number as we left it; undefined: we have set none yet. */
  readonly ours: number | undefined;
  /** Numbers that we have asked for since, and of which no answer came: they may have been set. */
  readonly attempted: readonly number[];
  /** When others were found to have changed it, Unix milliseconds. */
  readonly foreign: readonly number[];
}

export const NO_FIGHT: ScalingFight = { ours: undefined, attempted: [], foreign: [] };

/** The number of workers as it is found before we touch it. */
export function found(fight: ScalingFight, replicas: number, now: number): ScalingFight {
  const { ours, attempted } = fight;
  const foreign = fight.foreign.filter((at) => now - at < FIGHT.withinMs);
  if (attempted.includes(replicas)) return { ours: replicas, attempted, foreign };
  if (ours === undefined || ours === replicas) return { ours, attempted, foreign };
  return { ours: replicas, attempted, foreign: [...foreign, now] };
}

/** We are about to set the number, and may not hear what came of it. */
export function attempting(fight: ScalingFight, replicas: number): ScalingFight {
  const { attempted } = fight;
  return attempted.includes(replicas) ? fight : { ...fight, attempted: [...attempted, replicas] };
}

/** The number is `replicas`, as we have set it. */
export function settled({ foreign }: ScalingFight, replicas: number): ScalingFight {
  return { ours: replicas, attempted: [], foreign };
}

/** Somebody else (an autoscaler, a GitOps tool) keeps changing the number: the two of us would never come to an end. */
export function isFight({ foreign }: ScalingFight): boolean {
  return foreign.length >= FIGHT.changes;
}
