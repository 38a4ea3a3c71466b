import { inspect } from 'node:util';
import type { Settlement } from '../broker/broker.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Random } from '../runtime/random.ts';
import { DEFAULT_TIMEOUT_SECONDS } from '../wire/limits.ts';
import type { TaskMessage } from '../wire/task-message.ts';

/** An error message is written with every retry of its task: enough for a person, and no response body of megabytes. */
const MAX_ERROR_TEXT = 16_384;

/** What a server's user may say about a failed attempt. */
export interface FailurePolicy {
  /** Milliseconds until the next attempt. */
  readonly retryDelay: (retried: number, error: unknown) => number;
  /** False: the attempt is repeated without counting as a failure. */
  readonly isFailure: (error: unknown) => boolean;
}

/**
 * When an attempt that starts now must be over, Unix milliseconds: the earlier of timeout and deadline. A message that
 * has neither was not written by asynq's client; it gets the default timeout.
 */
export function deadlineOf(message: Pick<TaskMessage, 'timeout' | 'deadline'>, nowMs: number): number {
  const byTimeout = message.timeout > 0 ? nowMs + message.timeout * 1000 : Number.POSITIVE_INFINITY;
  const byDeadline = message.deadline > 0 ? message.deadline * 1000 : Number.POSITIVE_INFINITY;
  const deadline = Math.min(byTimeout, byDeadline);
  return Number.isFinite(deadline) ? deadline : nowMs + DEFAULT_TIMEOUT_SECONDS * 1000;
}

/** What becomes of a task whose attempt failed with `error`. */
export function settlementOfFailure(
  message: Pick<TaskMessage, 'retry' | 'retried'>,
  error: unknown,
  policy: FailurePolicy,
  nowMs: number,
): Settlement {
  if (wraps(error, 'ASYNQ_REVOKE_TASK')) return { kind: 'revoke' };
  const text = errorText(error).slice(0, MAX_ERROR_TEXT).toWellFormed();
  if (message.retried >= message.retry || wraps(error, 'ASYNQ_SKIP_RETRY'))
    return { kind: 'archive', error: text };
  const at = nowMs + Math.max(0, policy.retryDelay(message.retried, error));
  return { kind: 'retry', at, error: text, isFailure: policy.isFailure(error) };
}

/** Asynq's default: n^4 + 15 seconds and up to 29(n+1) of chance, n being the retries so far. Milliseconds. */
export function defaultRetryDelay(retried: number, random: Random): number {
  return (retried ** 4 + 15 + Math.floor(random() * 30) * (retried + 1)) * 1000;
}

/** Throw it, or an error with it as `cause`, and the task is archived whatever retries it has left. */
export function skipRetry(message?: string, options?: { cause?: unknown }): AsynqError {
  return new AsynqError('ASYNQ_SKIP_RETRY', message, options);
}

/** Throw it, or an error with it as `cause`, and the task is deleted: processed, neither failed nor retained. */
export function revokeTask(message?: string, options?: { cause?: unknown }): AsynqError {
  return new AsynqError('ASYNQ_REVOKE_TASK', message, options);
}

/** What a handler threw, as an Error: a bug may throw anything, `undefined` among it. */
export function thrownError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const words =
    typeof thrown === 'string'
      ? thrown
      : inspect(thrown, { breakLength: Number.POSITIVE_INFINITY, customInspect: false });
  return new AsynqError('ASYNQ_HANDLER_PANIC', `panic: ${words}`, { cause: thrown });
}

function wraps(error: unknown, code: 'ASYNQ_REVOKE_TASK' | 'ASYNQ_SKIP_RETRY'): boolean {
  const seen = new Set<unknown>();
  for (let link = error; link instanceof Error && !seen.has(link); link = causeOf(link)) {
    if (AsynqError.is(link, code)) return true;
    seen.add(link);
  }
  return false;
}

function causeOf(error: Error): unknown {
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}
