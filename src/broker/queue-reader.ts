import type { ClusterNode } from '../redis/router.ts';
import type { AsynqError } from '../runtime/errors.ts';
import type { OwnedLimits } from './queue-limits.ts';

export interface QueueQuery {
  readonly queue: string;
  /** How far ahead `soon` looks, seconds. */
  readonly soonSeconds: number;
  /** When a group counts as ready; absent: any non-empty group older than 60 s. 0 = no limit. */
  readonly groups?: {
    readonly gracePeriodSeconds: number;
    readonly maxSize: number;
    readonly maxDelaySeconds: number;
  };
}

/** One queue as one script saw it on its owner, all figures of one instant. */
export interface QueueSnapshot {
  /** The owner's TIME, Unix milliseconds. */
  readonly at: number;
  readonly keySlot: number;
  readonly node: ClusterNode;
  readonly replicas: readonly ClusterNode[];
  readonly paused: boolean;
  readonly size: {
    readonly pending: number;
    readonly active: number;
    readonly scheduled: number;
    readonly retry: number;
    readonly archived: number;
    readonly completed: number;
    readonly aggregating: number;
  };
  /** Number of groups. */
  readonly groups: number;
  /**
   * Seconds that the oldest pending task has waited, by the oldest stamp of the 16 next to run; 0 when nothing is pending,
   * undefined when none of them carries a stamp that can be.
   */
  readonly latencySeconds: number | undefined;
  /** One of those stamps lies more than a second in the future: the clock of a client or of the owner is wrong. */
  readonly clockSkew: boolean;
  /** Scheduled and retry tasks that are due. */
  readonly due: number;
  /** The same within the next `soonSeconds`, without those already due. */
  readonly soon: number;
  /** The next score of scheduled and retry that is not due yet, Unix seconds. */
  readonly nextDue: number | undefined;
  /** Tasks whose lease has ended: a recoverer will take them. */
  readonly orphaned: number;
  /** Active ids that nobody recovers: without any lease, or with one that has ended and no task behind it. */
  readonly ghosts: number;
  /**
   * Tasks in groups ready to be aggregated, and in stale aggregation sets. Of more than 200 groups a random 200 stand for
   * all, here and in `size.aggregating`.
   */
  readonly readyGroups: number;
  /** Lifetime counters. */
  readonly processed: number;
  readonly failed: number;
  /** Absent: it has none. */
  readonly limits?: ObservedLimits;
}

/** The limits of a queue as they stand in Redis. */
export interface ObservedLimits extends OwnedLimits {
  /** Tasks that servers which keep to limits have started, since there are some; goes back to 0 after a quiet day. */
  readonly started: number;
}

export type QueueReading =
  | { readonly kind: 'known'; readonly snapshot: QueueSnapshot }
  | { readonly kind: 'unknown'; readonly error: AsynqError };

/** The read side of a broker: what the operator and the CLI ask of queues. */
export interface QueueReader {
  /** One round trip per owning master, whatever the number of queues; a master that is down makes only its own unknown. */
  read(queries: readonly QueueQuery[]): Promise<ReadonlyMap<string, QueueReading>>;
}
