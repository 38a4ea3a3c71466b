import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { unlessAborted } from '../runtime/lifecycle.ts';
import { periodically } from '../runtime/periodic.ts';
import { checkPeriodicTask, identityOf, type PeriodicTask } from './periodic-task.ts';
import { Scheduler } from './scheduler.ts';
import {
  type ResolvedSchedulerOptions,
  resolveSchedulerOptions,
  type SchedulerOptions,
} from './scheduler-options.ts';

/** Brings what is to be enqueued periodically, all of it, each time that it is asked; `signal` aborts at a shutdown. */
export type PeriodicTaskProvider = (
  signal: AbortSignal,
) => readonly PeriodicTask[] | Promise<readonly PeriodicTask[]>;

/** Named as in Go's asynq (`PeriodicTaskManagerOpts`); spans are milliseconds. */
export interface PeriodicTaskManagerOptions extends SchedulerOptions {
  /** A function, e.g. one that asks a database; `periodicTaskFile` makes one of a file. */
  readonly provider: PeriodicTaskProvider;
  /** Between two times that the provider is asked. @default 180000 */
  readonly syncInterval?: number;
}

const DEFAULT_SYNC_MS = 180_000;

/**
 * A scheduler whose entries follow a provider (asynq `PeriodicTaskManager`).
 *
 * What the provider brings is taken as a whole or not at all. At the start it must be good; later a provider that fails,
 * or brings something that cannot be, is logged and the known entries go on. An entry that stays the same is not touched;
 * a changed one is a new one, so that an `@every` of it begins anew. What is in the list twice is enqueued once (Go's
 * manager enqueues it twice, and never stops to).
 *
 * @example
 * const manager = new PeriodicTaskManager(
 *   { addrs: ['127.0.0.1:7000'] },
 *   { provider: periodicTaskFile('periodic.yaml'), syncInterval: 10_000 },
 * );
 * await manager.start();
 */
export class PeriodicTaskManager implements AsyncDisposable {
  readonly #scheduler: Scheduler;
  readonly #options: ResolvedSchedulerOptions;
  readonly #provider: PeriodicTaskProvider;
  readonly #syncInterval: number;
  /** Identity -> id of its entry. */
  readonly #entries = new Map<string, string>();
  readonly #stop = new AbortController();
  #starting: Promise<void> | undefined;
  #loop: Promise<void> = Promise.resolve();

  /**
   * `redis`: where Redis is, or a connection that others use too and that a shutdown leaves open.
   *
   * @throws ASYNQ_CONFIG_INVALID
   */
  constructor(redis: RedisConnOpt | RedisRouter, options: PeriodicTaskManagerOptions) {
    const { provider, syncInterval = DEFAULT_SYNC_MS, ...ofScheduler } = options;
    if (typeof provider !== 'function') {
      throw new AsynqError('ASYNQ_CONFIG_INVALID', `provider: expected a function, got ${typeof provider}`);
    }
    if (!(syncInterval >= 1)) {
      throw new AsynqError(
        'ASYNQ_CONFIG_INVALID',
        `syncInterval: expected milliseconds from 1, got ${syncInterval}`,
      );
    }
    this.#provider = provider;
    this.#syncInterval = syncInterval;
    this.#options = resolveSchedulerOptions(ofScheduler);
    this.#scheduler = new Scheduler(redis, this.#options);
  }

  /**
   * Asks the provider, and begins to enqueue what it brings. When it rejects, nothing was started, and it may be called
   * again.
   *
   * @throws ASYNQ_PERIODIC_TASKS_INVALID with what the provider threw, or what is wrong with a task of it, as the cause;
   * ASYNQ_SCHEDULER_STATE when it runs, ASYNQ_CLOSED after a shutdown
   */
  async start(): Promise<void> {
    if (this.#stop.signal.aborted) throw closed();
    if (this.#starting !== undefined) {
      throw new AsynqError('ASYNQ_SCHEDULER_STATE', 'asynq: the scheduler is already running');
    }
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /** Resolves when Redis answers, and when the manager is closed. */
  ping(): Promise<void> {
    return this.#scheduler.ping();
  }

  /** Asks the provider no more, and shuts the scheduler down. Never rejects; harmless when done before. */
  async shutdown(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#scheduler.shutdown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #start(): Promise<void> {
    const { signal } = this.#stop;
    await this.#sync(signal);
    if (signal.aborted) throw closed();
    this.#scheduler.start();
    const { clock, log } = this.#options;
    this.#loop = periodically(
      {
        clock,
        log,
        intervalMs: this.#syncInterval,
        firstRun: 'after one interval',
        failure: 'cannot take over the periodic tasks; the known ones go on',
      },
      () => this.#sync(signal),
      signal,
    );
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const tasks = await unlessAborted(this.#ask(signal), signal);
    if (tasks === undefined || signal.aborted) return;
    const wanted = this.#byIdentity(tasks);
    for (const [identity, entryId] of this.#entries) {
      if (wanted.has(identity)) continue;
      this.#scheduler.unregister(entryId);
      this.#entries.delete(identity);
      this.#options.log.info({ entryId }, 'a periodic task was taken out');
    }
    for (const [identity, { spec, task, options }] of wanted) {
      if (this.#entries.has(identity)) continue;
      const entryId = this.#scheduler.register(spec, task, options);
      this.#entries.set(identity, entryId);
      this.#options.log.info({ entryId, spec, type: task.type }, 'a periodic task was taken in');
    }
  }

  async #ask(signal: AbortSignal): Promise<readonly PeriodicTask[]> {
    try {
      const tasks: unknown = await this.#provider(signal);
      if (Array.isArray(tasks)) return tasks;
      throw new TypeError(`expected a list, got ${typeof tasks}`);
    } catch (cause) {
      if (AsynqError.is(cause, 'ASYNQ_PERIODIC_TASKS_INVALID')) throw cause;
      const text = `the provider of periodic tasks failed: ${errorText(cause)}`;
      throw new AsynqError('ASYNQ_PERIODIC_TASKS_INVALID', text, { cause });
    }
  }

  #byIdentity(tasks: readonly PeriodicTask[]): Map<string, PeriodicTask> {
    const { location, clock, log } = this.#options;
    const all = new Map<string, PeriodicTask>();
    for (const [index, periodic] of tasks.entries()) {
      const identity = checked(index, () => {
        checkPeriodicTask(periodic, { location, nowMs: clock.now() });
        return identityOf(periodic, location);
      });
      if (all.has(identity)) {
        const { spec, task } = periodic;
        log.warn(
          { index, spec, type: task.type },
          'a periodic task stands twice in the list; it counts once',
        );
      }
      all.set(identity, periodic);
    }
    return all;
  }
}

function closed(): AsynqError {
  return new AsynqError('ASYNQ_CLOSED', 'the periodic task manager was shut down');
}

/** What a provider in JavaScript brings may be anything. */
function checked<T>(index: number, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    const text = `periodic task ${index} of the list: ${errorText(cause)}`;
    throw new AsynqError('ASYNQ_PERIODIC_TASKS_INVALID', text, { cause });
  }
}
