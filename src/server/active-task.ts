import { isUint8Array } from 'node:util/types';
import type { Broker, LeasedTask } from '../broker/broker.ts';
import { AsynqError } from '../runtime/errors.ts';
import { kindOf } from '../runtime/kind-of.ts';
import type { Logger } from '../runtime/logger.ts';
import { Task } from '../tasks/task.ts';
import type { Timed } from './deadlines.ts';
import type { TaskContext } from './handler.ts';

/**
 * - `leased`: in hand, its handler was not called yet
 * - `running`: its handler is at work and decides the outcome
 * - `stopping`: its handler was told to stop (timeout, cancellation) and has not ended; the outcome is decided and not
 *   written, so that no other attempt begins beside it
 * - `abandoned`: the outcome is written, or nobody's to write (lost lease), and its handler has not ended
 * - `ended`: no handler of it runs
 */
export type ActiveTaskState = 'leased' | 'running' | 'stopping' | 'abandoned' | 'ended';

/**
 * One task in hand and, being what its handler is told, the handler's context: one object for both, since there is one
 * per task. What costs (the signal, the logger) is made when it is asked for.
 */
export class ActiveTask implements TaskContext, Timed {
  readonly leased: LeasedTask;
  readonly task: Task;
  state: ActiveTaskState = 'leased';
  /** Unix milliseconds; 0 before the handler is called. */
  startedAt = 0;
  deadline = 0;
  /** When its handler's time is over: its deadline, and once it was told to stop the end of the grace. */
  dueAt = 0;
  /** When its handler was told to stop, Unix milliseconds. */
  toldAt = 0;
  heapIndex = -1;
  readonly #parts: { readonly broker: Broker; readonly log: Logger };
  #abort: AbortController | undefined;
  #reason: AsynqError | undefined;
  #log: Logger | undefined;

  constructor(leased: LeasedTask, parts: { readonly broker: Broker; readonly log: Logger }) {
    this.leased = leased;
    this.task = Task.fromMessage(leased.message);
    this.#parts = parts;
  }

  get taskId(): string {
    return this.leased.id;
  }

  get queue(): string {
    return this.leased.queue;
  }

  get retried(): number {
    return this.leased.message.retried;
  }

  get maxRetry(): number {
    return this.leased.message.retry;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  get log(): Logger {
    this.#log ??= this.#parts.log.child({ queue: this.queue, taskId: this.taskId, type: this.task.type });
    return this.#log;
  }

  async writeResult(result: Uint8Array | string): Promise<void> {
    if (this.#reason !== undefined) throw this.#reason;
    if (this.state !== 'running')
      throw new AsynqError('ASYNQ_CLOSED', 'failed to write task result: the attempt is over');
    await this.#parts.broker.writeResult(this.queue, this.taskId, resultBytes(result));
  }

  /** Why its work no longer counts; undefined: it does. */
  get reason(): AsynqError | undefined {
    return this.#reason;
  }

  /** Whether this server holds the lease. */
  get isHeld(): boolean {
    return this.state === 'leased' || this.state === 'running' || this.state === 'stopping';
  }

  /** Tells the handler, if it listens, that its work no longer counts. */
  abort(reason: AsynqError): void {
    this.#reason = reason;
    this.#abort?.abort(reason);
  }
}

/** For handlers without types. @throws ASYNQ_OPTION_INVALID */
function resultBytes(result: unknown): Uint8Array {
  if (typeof result === 'string') return Buffer.from(result);
  if (isUint8Array(result)) return result;
  throw new AsynqError(
    'ASYNQ_OPTION_INVALID',
    `task result: expected text or bytes (Uint8Array), got ${kindOf(result)}`,
  );
}

/** Since when all handlers at work have been told to stop, Unix milliseconds; undefined: one was not. */
export function allToldSince(tasks: Iterable<ActiveTask>): number | undefined {
  let since = 0;
  for (const { state, toldAt } of tasks) {
    if (state === 'running') return undefined;
    since = Math.max(since, toldAt);
  }
  return since;
}
