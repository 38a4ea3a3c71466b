import { randomUUID } from 'node:crypto';
import type { Broker } from '../broker/broker.ts';
import type { SchedulerEntries } from '../broker/scheduler-entries.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QueueKeys } from '../wire/keys.ts';
import { compose } from './compose.ts';
import type { PeriodicTask } from './periodic-task.ts';
import type { ResolvedSchedulerOptions } from './scheduler-options.ts';
import { type TaskInfo, taskInfo } from './task-info.ts';

/** A claim outlives the latest fire that it is to stop, and the difference between two clocks. */
const CLAIM_SECONDS = 3_600;
const LATEST_CLAIM_MS = 1_800_000;

/** Enqueues the task of an entry that fires, calls the hooks, and records the event. */
export class PeriodicEnqueuer {
  readonly #broker: Pick<Broker, 'enqueue'>;
  readonly #announced: SchedulerEntries;
  readonly #options: ResolvedSchedulerOptions;

  constructor(parts: {
    broker: Pick<Broker, 'enqueue'>;
    announced: SchedulerEntries;
    options: ResolvedSchedulerOptions;
  }) {
    this.#broker = parts.broker;
    this.#announced = parts.announced;
    this.#options = parts.options;
  }

  /** `at`: the time that the entry fires for, Unix milliseconds. Never rejects. */
  async enqueue(entryId: string, entry: PeriodicTask, at: number): Promise<void> {
    const { clock, log, highAvailability, preEnqueue, postEnqueue, onEnqueueError } = this.#options;
    const { spec, task, options = {} } = entry;
    const fields = { entryId, spec, type: task.type, due: new Date(at).toISOString() };
    if (highAvailability && clock.now() - at > LATEST_CLAIM_MS) {
      log.warn(
        fields,
        'left out a periodic task: too late to know whether another scheduler has enqueued it',
      );
      return;
    }
    await this.#call('preEnqueue', () => preEnqueue?.(task, options));
    let info: TaskInfo;
    try {
      info = await this.#enqueue(entryId, entry, at);
    } catch (error) {
      if (AsynqError.is(error, 'ASYNQ_CLAIM_TAKEN')) return;
      log.error({ err: error, ...fields }, 'cannot enqueue a periodic task');
      await this.#call('postEnqueue', () => postEnqueue?.(undefined, error));
      await this.#call('onEnqueueError', () => onEnqueueError?.(task, options, error));
      return;
    }
    log.debug({ ...fields, taskId: info.id }, 'enqueued a periodic task');
    await this.#call('postEnqueue', () => postEnqueue?.(info, undefined));
    try {
      await this.#announced.recordEvent(entryId, { taskId: info.id, enqueuedAt: clock.now() });
    } catch (err) {
      log.warn({ err, ...fields, taskId: info.id }, 'cannot record that a periodic task was enqueued');
    }
  }

  async #enqueue(entryId: string, { task, options }: PeriodicTask, at: number): Promise<TaskInfo> {
    const { enqueueing, ...circumstances } = compose(task, options, {
      nowMs: this.#options.clock.now(),
      newId: randomUUID,
    });
    const { message } = enqueueing;
    const key = new QueueKeys(message.queue).cronClaim(entryId, at / 1000);
    const once = this.#options.highAvailability ? { claim: { key, ttl: CLAIM_SECONDS } } : {};
    await this.#broker.enqueue({ ...enqueueing, ...once });
    return taskInfo(message, circumstances);
  }

  /** A hook of the user: what it throws is logged and dropped. */
  async #call(hook: string, call: () => unknown): Promise<void> {
    try {
      await call();
    } catch (err) {
      this.#options.log.error({ err, hook }, 'a hook of the scheduler threw');
    }
  }
}
