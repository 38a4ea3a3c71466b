import type { Logger } from '../runtime/logger.ts';
import type { Task } from '../tasks/task.ts';

/** Which task, and which attempt at it. */
export interface Attempt {
  readonly taskId: string;
  readonly queue: string;
  /** How often it was retried so far: 0 in the first attempt. */
  readonly retried: number;
  readonly maxRetry: number;
}

/** What a handler is told besides its task. */
export interface TaskContext extends Attempt {
  /** When the attempt counts as failed, Unix milliseconds. */
  readonly deadline: number;
  /**
   * Aborts when what the handler does no longer counts. Its reason is an AsynqError: ASYNQ_TASK_TIMEOUT,
   * ASYNQ_TASK_CANCELED, ASYNQ_LEASE_EXPIRED or, when a shutdown could not wait, ASYNQ_CLOSED.
   */
  readonly signal: AbortSignal;
  /** Carries the task's id, type and queue. */
  readonly log: Logger;
  /**
   * Stores a result with the task, over the one before; readable as long as the task's retention says.
   *
   * @throws the signal's reason, once it has aborted; ASYNQ_CLOSED when the handler has ended; ASYNQ_OPTION_INVALID for
   * what is neither bytes nor text; ASYNQ_REDIS_*
   */
  writeResult(result: Uint8Array | string): Promise<void>;
}

/** Success is to return, or to resolve; whatever is thrown is a failed attempt. */
export type HandlerFunction = (task: Task, context: TaskContext) => unknown;

export interface Handler {
  processTask(task: Task, context: TaskContext): unknown;
}

export type Middleware = (next: HandlerFunction) => HandlerFunction;
