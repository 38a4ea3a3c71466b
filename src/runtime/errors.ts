/**
 * Every error that the library throws on purpose: code -> what it means. Codes are stable; texts are for people.
 * Where Go's asynq has a text for the same error, it is kept, so that logs of a mixed fleet read alike.
 */
const ERRORS = {
  ASYNQ_TASK_TYPE_BLANK: 'task typename cannot be empty',
  ASYNQ_TASK_ID_BLANK: 'task ID cannot be empty',
  ASYNQ_QUEUE_NAME_INVALID: 'queue name must contain one or more characters',
  ASYNQ_GROUP_BLANK: 'group key cannot be empty',
  ASYNQ_UNIQUE_TTL_TOO_SHORT: 'Unique TTL cannot be less than 1s',
  ASYNQ_OPTION_INVALID: 'an option has a value that it cannot have',
  ASYNQ_DUPLICATE_TASK: 'task already exists',
  ASYNQ_TASK_ID_CONFLICT: 'task ID conflicts with another task',
  ASYNQ_CLAIM_TAKEN: 'somebody else has enqueued what was to be enqueued once',
  ASYNQ_NOT_REPLICATED: 'the task is in, but too few replicas have it yet',
  ASYNQ_TASK_NOT_FOUND: 'task not found',
  ASYNQ_TASK_STATE: 'the task is in a state in which this cannot be done',
  ASYNQ_QUEUE_NOT_FOUND: 'queue not found',
  ASYNQ_QUEUE_NOT_EMPTY: 'queue is not empty',
  ASYNQ_QUEUE_STATE: 'the queue is in a state in which this cannot be done',
  ASYNQ_PAYLOAD_NOT_JSON: 'the payload is not a JSON object',
  ASYNQ_PAYLOAD_FIELD: 'a payload field is missing or has another type',
  ASYNQ_MESSAGE_UNREADABLE: 'the bytes are not a message of asynq',
  ASYNQ_HANDLER_NOT_FOUND: 'handler not found for task',
  ASYNQ_HANDLER_INVALID: 'a handler or its pattern has the wrong shape',
  ASYNQ_HANDLER_PANIC: 'the handler threw something that is not an Error',
  ASYNQ_HANDLERS_MODULE: 'the handlers module cannot be used',
  ASYNQ_SKIP_RETRY: 'skip retry for the task',
  ASYNQ_REVOKE_TASK: 'revoke task',
  ASYNQ_LEASE_EXPIRED: 'asynq: task lease expired',
  ASYNQ_TASK_TIMEOUT: 'context deadline exceeded',
  ASYNQ_TASK_CANCELED: 'context canceled',
  ASYNQ_SERVER_STATE: 'the server is in a state in which this cannot be done',
  ASYNQ_SCHEDULER_STATE: 'the scheduler is in a state in which this cannot be done',
  ASYNQ_SCHEDULER_ENTRY_NOT_FOUND: 'asynq: no scheduler entry found',
  ASYNQ_CRON_SPEC_INVALID: 'the cron spec cannot be read',
  ASYNQ_PERIODIC_TASKS_INVALID: 'the periodic tasks cannot be read',
  ASYNQ_CLOSED: 'it was closed before',
  ASYNQ_CONFIG_INVALID: 'the configuration is wrong',
  ASYNQ_MANIFEST_INVALID: 'the manifest is wrong',
  ASYNQ_REDIS_UNREACHABLE: 'no connection to Redis',
  ASYNQ_REDIS_AUTH: 'Redis refused the user name or the password',
  ASYNQ_REDIS_NOT_A_CLUSTER: 'the Redis server is not part of a cluster',
  ASYNQ_REDIS_SLOT_UNSERVED: 'no reachable Redis master serves the key slot',
  ASYNQ_REDIS_VERSION: 'the Redis server is too old',
  ASYNQ_REDIS_COMMAND: 'Redis answered a command with an error',
  ASYNQ_KUBE_CONFIG: 'the Kubernetes configuration cannot be used',
  ASYNQ_KUBE_UNREACHABLE: 'no connection to the Kubernetes API server',
  ASYNQ_KUBE_TIMEOUT: 'the Kubernetes API server did not answer in time',
  ASYNQ_KUBE_REFUSED: 'the Kubernetes API server refused the request',
  ASYNQ_KUBE_ANSWER: 'the Kubernetes API server answered with something unreadable',
} as const;

export type ErrorCode = keyof typeof ERRORS;

const BRAND = Symbol.for('asynq-operator.error');

/** An error with a stable `code`; `message` says what was expected and what came, `cause` what lies beneath. */
export class AsynqError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message?: string, options?: { cause?: unknown }) {
    super(message ?? ERRORS[code], options);
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static {
    this.prototype.name = 'AsynqError';
  }

  /** True for our errors, also those of another copy of this package; with `code`, only for that one. */
  static is(error: unknown, code?: ErrorCode): error is AsynqError {
    return (
      error instanceof Error &&
      BRAND in error &&
      (code === undefined || ('code' in error && error.code === code))
    );
  }
}

/** True for what became of a server that we depend on: the text says it all, the stack is of our inside. */
export function isRemote(error: unknown): error is AsynqError {
  return AsynqError.is(error) && /^ASYNQ_(?:REDIS|KUBE|CLOSED)/.test(error.code);
}

/** The text of anything that was thrown. Never throws: a `message` may be no string, or a getter that throws. */
export function errorText(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'an error that cannot be read';
  }
}
