import type { TaskMessage } from '../wire/task-message.ts';

/** A task that this process holds a lease on, from the moment of its dequeue to the moment it is settled. */
export interface LeasedTask {
  readonly queue: string;
  readonly id: string;
  readonly message: TaskMessage;
  /** End of the lease, Unix milliseconds; moved on by `extendLeases`. */
  leaseExpiresAt: number;
  /** The end that was last asked for, Unix milliseconds: the lease may end then, although no answer said so. */
  leaseAskedUntil?: number;
}

/** What becomes of a leased task. Times are Unix milliseconds and are cut to seconds on the wire. */
export type Settlement =
  /** Success: the task is deleted, or kept as completed when its retention says so. */
  | { readonly kind: 'done' }
  /** Deleted and counted as processed whatever its retention (asynq RevokeTask). */
  | { readonly kind: 'revoke' }
  | { readonly kind: 'retry'; readonly at: number; readonly error: string; readonly isFailure: boolean }
  | { readonly kind: 'archive'; readonly error: string }
  /** Back to the head of its queue, as if it had never been taken: before those given back before it. */
  | { readonly kind: 'requeue' };

/** What only one of several that name it may enqueue: a key in the slot of the queue, held for whole seconds. */
export interface Claim {
  readonly key: string;
  readonly ttl: number;
}

/** How a new task comes into its queue; `uniqueTtl` in whole seconds. */
export interface Enqueueing {
  readonly message: TaskMessage;
  /** Unix milliseconds; absent: at once. */
  readonly processAt?: number;
  readonly group?: string;
  readonly uniqueTtl?: number;
  /** Taken in the same step in which the task comes in, and not let go with the task. */
  readonly claim?: Claim;
}

export type DequeueReply = { readonly tasks: LeasedTask[] } & DequeueReason;

/**
 * `ok`: there may be more; `empty`: these were the last, and only then may the queue be waited on; `paused`: nothing is
 * taken from it; `limited`: there are more, but not before `retryAfterMs`, or, of the limit `concurrency`, when a task of
 * this queue has been settled.
 */
export type DequeueReason =
  | { readonly reason: 'ok' | 'empty' | 'paused' }
  | { readonly reason: 'limited'; readonly limit: 'concurrency' | 'rate'; readonly retryAfterMs: number };

/** A queue whose due tasks were moved; `nextDue` is the next score that is not due yet, Unix seconds. */
export interface Forwarded {
  readonly moved: number;
  readonly nextDue: number | undefined;
}

/** When a group's tasks are to be made one task; spans are milliseconds, 0 is no limit. */
export interface GroupPolicy {
  /** Since the newest task came. */
  readonly gracePeriod: number;
  /** Since the oldest task came. */
  readonly maxDelay: number;
  /** Tasks of one aggregation. */
  readonly maxSize: number;
}

export interface ReadyGroups {
  readonly ready: readonly string[];
  /** When the next of those that are known will be, Unix milliseconds. */
  readonly nextDue: number | undefined;
}

export interface GroupedTask {
  readonly id: string;
  readonly message: TaskMessage;
}

/** Tasks that were taken from a group to be made one. */
export interface AggregationSet {
  readonly queue: string;
  readonly group: string;
  /** Its key in Redis. */
  readonly key: string;
  /** When it goes back to its group unless it is finished, Unix milliseconds. */
  readonly deadline: number;
  /** The oldest first. */
  readonly tasks: readonly GroupedTask[];
}

export interface ServerState {
  readonly host: string;
  readonly pid: number;
  readonly serverId: string;
  readonly concurrency: number;
  readonly queues: Readonly<Record<string, number>>;
  readonly strictPriority: boolean;
  readonly status: 'new' | 'active' | 'stopped' | 'closed';
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly workers: readonly WorkerState[];
}

export interface WorkerState {
  readonly task: LeasedTask;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly deadline: number;
}

/**
 * Asynq's operations as a client and a server need them, each atomic in its queue's slot.
 *
 * Calls made in one turn of the event loop for queues of one master travel together. A rejected settle may be tried
 * again: done twice it is harmless. Methods throw AsynqError (ASYNQ_REDIS_*), never a driver's own error.
 */
export interface Broker {
  /** @throws ASYNQ_DUPLICATE_TASK, ASYNQ_TASK_ID_CONFLICT, ASYNQ_CLAIM_TAKEN */
  enqueue(task: Enqueueing): Promise<void>;
  /**
   * Enqueues each on its own account, in few calls: for each undefined, or what `enqueue` would throw. `tasks` is read
   * while the first are on their way.
   */
  enqueueMany(tasks: Iterable<Enqueueing>): Promise<readonly unknown[]>;
  /**
   * Leases up to `max` tasks of one queue, fewer when they are large. A message that does not decode is archived with the
   * reason, not returned.
   */
  dequeue(queue: string, max: number): Promise<DequeueReply>;
  /**
   * Waits for pending tasks without taking any, for some seconds. `pending`: there are some; `quiet`: none came;
   * `crowded`: enough servers wait for this queue, since each push wakes all of them. `waiter` names the server.
   *
   * @throws ASYNQ_CLOSED when `signal` aborts
   */
  awaitPending(queue: string, waiter: string, signal: AbortSignal): Promise<'pending' | 'quiet' | 'crowded'>;
  /** Resolves to false when the lease has ended or the task was no longer ours, so that nothing was written. */
  settle(task: LeasedTask, settlement: Settlement): Promise<boolean>;
  /** Moves on the leases that still stand, and each task's `leaseExpiresAt` with them. */
  extendLeases(tasks: readonly LeasedTask[]): Promise<void>;
  /** Moves due scheduled and retry tasks to pending (or into their group). */
  forward(queue: string): Promise<Forwarded>;
  /** Tasks whose lease ended before `before` (Unix ms), under a new lease of ours, to be settled by the recoverer. */
  listLeaseExpired(queue: string, before: number): Promise<LeasedTask[]>;
  /** Deletes completed tasks whose retention is over; how many. */
  deleteExpiredCompleted(queue: string, batch: number): Promise<number>;
  /** Groups whose tasks are to be made one now; undefined: another server has just looked. `looker` names the server. */
  readyGroups(queue: string, policy: GroupPolicy, looker: string): Promise<ReadyGroups | undefined>;
  /**
   * Takes tasks from a group; undefined: it is not ready (any more). Messages that do not decode are archived. The tasks
   * go back to their group after two minutes unless they are finished or returned before.
   */
  claimGroup(queue: string, group: string, policy: GroupPolicy): Promise<AggregationSet | undefined>;
  /**
   * Enqueues the task that a set was made into, into the set's queue, and deletes the set, its tasks and their locks, in
   * one step. Resolves to false when the set had gone back to its group: nothing was done.
   *
   * @throws ASYNQ_DUPLICATE_TASK, ASYNQ_TASK_ID_CONFLICT, nothing being done
   */
  finishAggregation(set: AggregationSet, aggregate: Enqueueing): Promise<boolean>;
  /** Puts the tasks back into their group, as long as they have been in it before; how many. */
  returnToGroup(set: AggregationSet): Promise<number>;
  /** The same for sets whose time is over, since their aggregator died; how many tasks. */
  returnStaleSets(queue: string): Promise<number>;
  writeResult(queue: string, taskId: string, result: Uint8Array): Promise<void>;
  /** Announces a server and what it works on; gone after `ttlSeconds` unless written again. */
  writeServerState(state: ServerState, ttlSeconds: number): Promise<void>;
  clearServerState(state: Pick<ServerState, 'host' | 'pid' | 'serverId'>): Promise<void>;
  publishCancel(taskId: string): Promise<void>;
  /**
   * Calls back for each task id published to `asynq:cancel` until `signal` aborts; reconnects by itself. Resolves when it
   * listens, or the signal has aborted before.
   */
  subscribeCancel(onCancel: (taskId: string) => void, signal: AbortSignal): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
