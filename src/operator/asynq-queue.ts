import type {
  AsynqQueueSpec as GeneratedSpec,
  AsynqQueueStatus as GeneratedStatus,
} from './gen/asynq-queue.ts';

export const GROUP = 'asynq.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'AsynqQueue';
export const PLURAL = 'asynqqueues';

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** As it is after the API server (or `dev`) filled in the schema's defaults. */
export type AsynqQueueSpec = DeepReadonly<GeneratedSpec>;
export type AsynqQueueStatus = DeepReadonly<GeneratedStatus>;
export type RedisSpec = NonNullable<AsynqQueueSpec['redis']>;
export type WorkerSpec = NonNullable<AsynqQueueSpec['worker']>;
export type ScalingSpec = AsynqQueueSpec['scaling'];
export type Condition = NonNullable<AsynqQueueStatus['conditions']>[number];
export type DecisionRecord = NonNullable<AsynqQueueStatus['decision']>;
export type Limiter = NonNullable<DecisionRecord['limiters']>[number];

/** An AsynqQueue as it is read: nobody in the operator changes one in place. */
export interface AsynqQueue {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    /** Counts changes of the spec, from 1. */
    readonly generation: number;
    /** RFC 3339. */
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly resourceVersion?: string;
  };
  readonly spec: AsynqQueueSpec;
  readonly status?: AsynqQueueStatus;
}

/** `namespace/name`, by which an AsynqQueue is known to work queues, caches and logs. */
export function keyOf(queue: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): string {
  return `${queue.metadata.namespace}/${queue.metadata.name}`;
}

/** The queue's name in Redis. */
export function queueName(queue: AsynqQueue): string {
  return queue.spec.queue ?? queue.metadata.name;
}

/** What the number of workers is to achieve. */
export type Target =
  | { readonly kind: 'latency'; readonly seconds: number }
  | { readonly kind: 'tasks'; readonly perReplica: number };

/**
 * The target, with the default that the schema cannot hold: a target filled in by the API server would stay beside the
 * one that a later `kubectl apply` sets, and the two would be refused.
 */
export function targetOf(scaling: ScalingSpec): Target {
  const { latencySeconds, tasksPerReplica } = scaling.target ?? {};
  if (tasksPerReplica !== undefined) return { kind: 'tasks', perReplica: tasksPerReplica };
  return { kind: 'latency', seconds: latencySeconds ?? 30 };
}

/** The queue's connection: its own, else the operator's; undefined when there is neither. */
export function redisOf(queue: AsynqQueue, operatorDefault: RedisSpec | undefined): RedisSpec | undefined {
  return queue.spec.redis ?? operatorDefault;
}

/** The Deployment that we make. */
export function ownWorkerName({ metadata }: AsynqQueue): string {
  return `${metadata.name}-worker`;
}

/** The Deployment that scales: the one we make, or the one that is referred to. */
export function workerName(queue: AsynqQueue): string {
  return queue.spec.workerRef?.name ?? ownWorkerName(queue);
}
