/** A worker process as the plan sees it. */
export interface PlannedWorker {
  /** Of the template that it was started with. */
  readonly revision: string;
  readonly isReady: boolean;
  /** Tasks that it works on, as last heard. */
  readonly active: number;
}

export interface FleetPlan<W> {
  /** How many to start of the wanted revision. */
  readonly start: number;
  readonly stop: readonly W[];
}

/**
 * What to start and what to stop so that `replicas` workers of `revision` come to be. Workers of older revisions leave one
 * by one as new ones become ready, so a change that breaks the workers takes none of the old ones with it.
 *
 * `workers` are those that are not stopping, oldest first. Of the wanted revision those leave first that are not ready,
 * then those with the fewest tasks, then the newest.
 */
export function planFleet<W extends PlannedWorker>(
  workers: readonly W[],
  wanted: { readonly replicas: number; readonly revision: string },
): FleetPlan<W> {
  const current = workers.filter(({ revision }) => revision === wanted.revision);
  const old = workers.filter(({ revision }) => revision !== wanted.revision);
  const ready = current.filter(({ isReady }) => isReady).length;
  const oldToKeep = Math.max(0, wanted.replicas - ready);
  const surplus = Math.max(0, current.length - wanted.replicas);
  return {
    start: Math.max(0, wanted.replicas - current.length),
    stop: [
      ...inOrderOfLeaving(old).slice(0, Math.max(0, old.length - oldToKeep)),
      ...inOrderOfLeaving(current).slice(0, surplus),
    ],
  };
}

function inOrderOfLeaving<W extends PlannedWorker>(workers: readonly W[]): W[] {
  return workers
    .toReversed()
    .toSorted((a, b) => Number(a.isReady) - Number(b.isReady) || a.active - b.active);
}
