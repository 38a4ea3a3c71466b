/** One variable of a worker's environment, for those who set it or read it in another language. */
export interface WorkerVariable {
  readonly name: string;
  readonly meaning: string;
  /** What it is taken for when it is absent; undefined: it may not be. */
  readonly fallback: string | undefined;
}

/** All that the bundled worker is told by its environment, see `readWorkerEnv`. The names are part of the API. */
export const WORKER_VARIABLES: readonly WorkerVariable[] = [
  variable(
    'ASYNQ_REDIS_ADDRS',
    'where Redis is: `host:port`, of a cluster some of its nodes, a comma between',
  ),
  variable('ASYNQ_REDIS_MODE', '`Cluster` or `Standalone`', 'Cluster'),
  variable('ASYNQ_REDIS_DB', 'the database; a cluster has 0 only', '0'),
  variable('ASYNQ_REDIS_USERNAME', 'the ACL user', ''),
  variable('ASYNQ_REDIS_PASSWORD', 'the password', ''),
  variable('ASYNQ_REDIS_TLS', '`true` or `false`', '`true` when one of the next four is set'),
  variable('ASYNQ_REDIS_TLS_CA_FILE', 'PEM file of the authorities to trust', "the system's"),
  variable('ASYNQ_REDIS_TLS_CERT_FILE', "PEM file of the client's certificate; goes with the key", ''),
  variable('ASYNQ_REDIS_TLS_KEY_FILE', 'PEM file of its key', ''),
  variable(
    'ASYNQ_REDIS_TLS_SERVER_NAME',
    "name that the server's certificate must carry",
    'the host dialled',
  ),
  variable(
    'ASYNQ_QUEUES',
    'the queues, and no others: a JSON object of name -> priority, whole numbers from 1',
  ),
  variable('ASYNQ_CONCURRENCY', 'tasks at work at once', '10'),
  variable('ASYNQ_HANDLERS', "path of the ES module with the tasks' handlers"),
  variable('ASYNQ_SHUTDOWN_TIMEOUT_SECONDS', 'how long tasks at work may take to end after SIGTERM', '8'),
  variable(
    'ASYNQ_GROUPS',
    'when tasks of a group become one: a JSON object of `gracePeriodSeconds`, `maxSize`, `maxDelaySeconds`; 0: no limit',
    '60, 0, 0',
  ),
  variable('POD_NAME', 'what the worker is called in Redis', 'the host name'),
  variable('LOG_LEVEL', '`debug`, `info`, `warn` or `error`', 'info'),
];

function variable(name: string, meaning: string, fallback?: string): WorkerVariable {
  return { name, meaning, fallback };
}
