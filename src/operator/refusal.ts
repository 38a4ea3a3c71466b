/**
 * Why an AsynqQueue is `Stalled`: something that somebody wrote has to change before it can work. Nothing is scaled
 * meanwhile. The list is part of the API.
 */
export type RefusalReason =
  /** An older AsynqQueue has the same queue of the same Redis. */
  | 'QueueConflict'
  /** An older AsynqQueue scales the same workload. */
  | 'TargetConflict'
  /** The workload of `workerRef` is not there. */
  | 'TargetNotFound'
  /** A Deployment of the name that ours would have is somebody else's. */
  | 'NameConflict'
  /** The API server does not take the Deployment that the spec leads to. */
  | 'InvalidTemplate'
  /** The ConfigMap of `worker.handlers` is not there, or lacks the key. */
  | 'HandlersMissing'
  /** Neither the spec nor the operator names a Redis. */
  | 'RedisNotConfigured'
  /** A Secret of `redis` is not there, or lacks the key. */
  | 'RedisSecretMissing'
  /** Redis does not take the user name or the password. */
  | 'RedisAuthFailed'
  /** `redis.mode` is Cluster, and the server is not part of one. */
  | 'RedisNotACluster'
  /** Redis is older than 7.0. */
  | 'RedisTooOld';

export interface Refusal {
  readonly reason: RefusalReason;
  readonly message: string;
}
