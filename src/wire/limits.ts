/** Constants of asynq v0.26 that two programs on one queue must agree on. */

/** A dequeued task is its worker's for so long (rdb `LeaseDuration`). */
export const LEASE_SECONDS = 30;

/** The recoverer takes a task only so long after its lease ended (recoverer.go, cutoff). */
export const LEASE_GRACE_SECONDS = 30;

/** An aggregation set goes back to its group after so long (rdb `aggregationTimeout`). */
export const AGGREGATION_SECONDS = 120;

/** Daily counters live so long (rdb `statsTTL`). */
export const STATS_TTL_SECONDS: number = 90 * 24 * 3600;

/** Archived tasks are dropped after so many days (rdb `archivedExpirationInDays`). */
export const ARCHIVED_EXPIRATION_DAYS = 90;

/** Archived tasks kept in a queue: Go's trim leaves 9,999 of the 10,000 that it names. */
export const MAX_ARCHIVE_SIZE = 10_000;

export const DEFAULT_QUEUE = 'default';
export const DEFAULT_MAX_RETRY = 25;
export const DEFAULT_TIMEOUT_SECONDS: number = 30 * 60;
