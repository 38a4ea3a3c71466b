/**
 * Why an AsynqQueue is `Stalled`: reason -> what it means. Something that somebody wrote has to change; what can be done
 * without it goes on. The reasons are part of the API.
 */
export const REFUSALS = {
  QueueConflict: 'An older AsynqQueue has the same queue of the same Redis.',
  TargetConflict: 'An older AsynqQueue scales the same workload.',
  TargetNotFound: 'The Deployment of workerRef is not there.',
  NameConflict: "A Deployment of the name that ours would have is somebody else's; it is left alone.",
  InvalidTemplate:
    'The API server does not take the Deployment that the spec leads to; its words are in the message.',
  HandlersMissing: 'The ConfigMap of worker.handlers is not there, or lacks the key.',
  RedisNotConfigured: 'Neither the spec nor the operator names a Redis that could be.',
  RedisSecretMissing: 'A Secret of redis is not there, or lacks the key.',
  RedisSecretForbidden: 'A Secret of redis may not be read by the operator.',
  RedisAuthFailed: 'Redis does not take the user name or the password.',
  RedisNotACluster: 'redis.mode is Cluster, and the server is not part of one.',
  RedisTooOld: 'Redis is older than 7.0.',
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export interface Refusal {
  readonly reason: RefusalReason;
  readonly message: string;
}
