import type { QueueSnapshot } from '../broker/queue-reader.ts';

/**
 * What a queue asks of its workers. More than the pending list: due tasks, ended leases and ready groups are moved by
 * workers only, so with no worker nobody would ever make them pending.
 */
export interface Demand {
  /** Tasks that wait for a worker. */
  readonly waiting: number;
  /** Tasks in a worker whose lease stands. */
  readonly running: number;
  /** Tasks that fall due while a worker would still be starting. */
  readonly soon: number;
}

/**
 * How long ids in `active` without a lease (a worker died between two commands of Go's dequeue) count as running: nobody
 * recovers them, and a queue must not stay awake for ever because of them.
 */
const GHOST_COUNTS_MS = 10 * 60_000;

/** So many ghosts at least since then; heights rise, times rise with them. */
export type GhostLevels = readonly { readonly count: number; readonly since: number }[];

/** A lower count takes the youngest ghosts away, a higher one adds some that are born now. */
export function trackGhosts(levels: GhostLevels, count: number, now: number): GhostLevels {
  if (count === 0) return [];
  const below = levels.filter((level) => level.count < count);
  const cut = levels[below.length];
  return [...below, { count, since: cut?.since ?? now }];
}

/** Ghosts that no longer count. */
export function oldGhosts(levels: GhostLevels, now: number): number {
  return levels.findLast(({ since }) => now - since >= GHOST_COUNTS_MS)?.count ?? 0;
}

export function demandOf(snapshot: QueueSnapshot, staleGhosts: number): Demand {
  const { size, due, orphaned, readyGroups, soon } = snapshot;
  return {
    waiting: size.pending + due + orphaned + readyGroups,
    running: Math.max(0, size.active - orphaned - staleGhosts),
    soon,
  };
}
