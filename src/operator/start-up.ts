import type { FleetState } from './ends.ts';

/** Where no worker of a queue was seen to start yet: a first image pull is slow. */
const ASSUMED_START_UP_SECONDS = 60;

/** A fleet is given up on after so many times its known start-up. */
const PATIENCE = 3;

/** Workers that are known to start in no time get this long all the same: the machine may be busy. */
const LEAST_PATIENCE_SECONDS = 10;

/** How far ahead a queue is looked at for tasks that fall due while a worker starts, where start-up is not known. */
const ASSUMED_LOOK_AHEAD_SECONDS = 10;

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

/** Seconds to look ahead for tasks that fall due. */
export function lookAheadSeconds(fleet: FleetState | undefined): number {
  return Math.ceil(median(fleet?.startupSeconds ?? []) ?? ASSUMED_LOOK_AHEAD_SECONDS);
}

/** Workers that fail, or that none of became ready in three times the time that they are known to take. */
export function startUpOverdue(fleet: FleetState, now: number): boolean {
  if (fleet.problem !== undefined) return true;
  if (fleet.notReadySince === undefined) return false;
  const known = median(fleet.startupSeconds) ?? ASSUMED_START_UP_SECONDS;
  return now - fleet.notReadySince > Math.max(PATIENCE * known, LEAST_PATIENCE_SECONDS) * 1000;
}

/** More of what does not start helps nobody; with none ready, one goes on trying. */
export function notStartingCap(fleet: FleetState): number {
  return fleet.readyReplicas === 0 ? 1 : Math.max(fleet.replicas, 1);
}
