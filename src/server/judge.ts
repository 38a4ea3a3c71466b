import type { LeasedTask, Settlement } from '../broker/broker.ts';
import { AsynqError } from '../runtime/errors.ts';
import { Task } from '../tasks/task.ts';
import type { ResolvedConfig } from './config.ts';
import type { Attempt } from './handler.ts';
import { defaultRetryDelay, settlementOfFailure, thrownError } from './outcome.ts';

type JudgeConfig = Pick<
  ResolvedConfig,
  'clock' | 'random' | 'log' | 'retryDelay' | 'isFailure' | 'errorHandler'
>;

/**
 * Says what becomes of a task whose attempt failed: asks the server's user (error handler, retry delay, what counts as
 * a failure) and bears with what they answer. A function of theirs that throws costs a log line, never the task.
 */
export class Judge {
  readonly #config: JudgeConfig;

  constructor(config: JudgeConfig) {
    this.#config = config;
  }

  judge(leased: LeasedTask, task: Task, thrown: unknown): Settlement {
    const { clock, isFailure } = this.#config;
    const error = thrownError(thrown);
    const { retried, retry: maxRetry } = leased.message;
    void this.#tell(error, task, { taskId: leased.id, queue: leased.queue, retried, maxRetry });
    const policy = {
      retryDelay: () => this.#retryDelay(retried, error, task),
      isFailure: () => this.#bearing('isFailure', () => isFailure(error), true),
    };
    const settlement = settlementOfFailure(leased.message, error, policy, clock.now());
    this.#log(leased, settlement, error);
    return settlement;
  }

  /** The same for a task whose worker died. */
  judgeLost(leased: LeasedTask): Settlement {
    return this.judge(leased, Task.fromMessage(leased.message), new AsynqError('ASYNQ_LEASE_EXPIRED'));
  }

  async #tell(error: Error, task: Task, attempt: Attempt): Promise<void> {
    const { errorHandler, log } = this.#config;
    try {
      await errorHandler?.(error, task, attempt);
    } catch (err) {
      log.error({ err, option: 'errorHandler' }, 'a function of the configuration threw');
    }
  }

  #retryDelay(retried: number, error: Error, task: Task): number {
    const { retryDelay, random } = this.#config;
    const delay = this.#bearing('retryDelay', () => retryDelay(retried, error, task), Number.NaN);
    return Number.isFinite(delay) ? delay : defaultRetryDelay(retried, random);
  }

  #bearing<T>(option: string, call: () => T, fallback: T): T {
    try {
      return call();
    } catch (err) {
      this.#config.log.error({ err, option }, 'a function of the configuration threw');
      return fallback;
    }
  }

  #log(leased: LeasedTask, settlement: Settlement, err: Error): void {
    const { log } = this.#config;
    const { id: taskId, queue, message } = leased;
    const fields = { queue, taskId, type: message.type, retried: message.retried, err };
    if (settlement.kind === 'archive') log.warn(fields, 'task failed for the last time: archived');
    else if (settlement.kind === 'retry')
      log.warn({ ...fields, retryAt: settlement.at }, 'task failed: to be retried');
  }
}
