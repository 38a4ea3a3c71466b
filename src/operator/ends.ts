import type { AsynqQueue, AsynqQueueStatus } from './asynq-queue.ts';
import type { Refusal } from './refusal.ts';

/**
 * The two ends of the reconciler. `operator` has Kubernetes at both, `dev` has manifest files and local processes; what
 * lies between (observe, decide, report) is the same code and sees these interfaces only.
 */

/** `namespace/name`. */
export type QueueKey = string;

/** Where AsynqQueues come from and where their status goes. */
export interface QueueSource {
  /** All AsynqQueues as last seen. */
  list(): readonly AsynqQueue[];
  get(key: QueueKey): AsynqQueue | undefined;
  writeStatus(queue: AsynqQueue, status: AsynqQueueStatus): Promise<void>;
  /** Tells people of a change: `reason` in CamelCase, as events.k8s.io has it. */
  event(queue: AsynqQueue, event: QueueEvent): void;
  /** The value of a key in a Secret of the queue's namespace; undefined when there is none. */
  secret(namespace: string, name: string, key: string): Promise<string | undefined>;
}

export interface QueueEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly message: string;
}

/** The workers of one queue as last seen. */
export interface FleetState {
  /** `absent`: not made yet; `foreign`: its name is taken by something that is not ours. */
  readonly presence: 'absent' | 'ours' | 'foreign';
  /** Replicas asked for (`spec.replicas`). */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** What keeps workers from becoming ready (ImagePullBackOff, CrashLoopBackOff, ...), with the worker's last words. */
  readonly problem?: { readonly reason: string; readonly message: string };
  /** Start-up times of workers seen so far, seconds, newest last, at most 8. */
  readonly startupSeconds: readonly number[];
  /** Unix milliseconds since which at least one replica was asked for and none became ready; absent: not so. */
  readonly notReadySince?: number;
}

/** What was asked of a fleet and could not be had: the queue's spec is at fault (`Stalled`), not the moment. */
export type FleetRefusal = Refusal;

export interface FleetResult {
  readonly changed: readonly ('created' | 'updated')[];
  /** The number of workers that was set, where another was before. */
  readonly scaledTo?: number;
  readonly refusal?: FleetRefusal;
}

/** Makes workers be. Every call is idempotent and writes nothing when nothing differs. */
export interface Fleet {
  state(queue: AsynqQueue): FleetState;
  /** Brings the workers' template up to date and their number to `replicas`; undefined leaves the number alone: new ones are none. */
  apply(queue: AsynqQueue, replicas: number | undefined): Promise<FleetResult>;
  /** The AsynqQueue is gone: so shall its workers be. */
  remove(key: QueueKey): Promise<void>;
}
