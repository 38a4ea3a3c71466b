import type { Recommendation } from './decision.ts';

/** As the Horizontal Pod Autoscaler's `behavior.scaleDown.stabilizationWindowSeconds`, whose default is 300. */
const SCALE_DOWN_WINDOW_MS = 30_000;

/** As the Horizontal Pod Autoscaler's tolerance. */
const TOLERANCE = 0.1;

/**
 * The recommendations with one more, without those that no longer matter: too old ones, and those that a later one is
 * not less than (a window is asked for its maximum only).
 */
export function recommend(
  past: readonly Recommendation[],
  replicas: number,
  now: number,
): readonly Recommendation[] {
  const kept = past.filter(
    (it) => now - it.at < SCALE_DOWN_WINDOW_MS && it.at <= now && it.replicas > replicas,
  );
  return [...kept, { at: now, replicas }];
}

/** Up at once; down only to the highest recommendation of the window. */
export function stabilized(current: number, window: readonly Recommendation[], wanted: number): number {
  if (wanted >= current) return wanted;
  return Math.min(current, Math.max(wanted, ...window.map(({ replicas }) => replicas)));
}

/** `current` while the exact number of replicas that is needed differs from it by no more than the tolerance. */
export function tolerated(current: number, needed: number, wanted: number): number {
  if (current === 0 || needed === 0) return wanted;
  return Math.abs(needed / current - 1) <= TOLERANCE ? current : wanted;
}
