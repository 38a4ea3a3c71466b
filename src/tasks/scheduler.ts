import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { RedisBroker } from '../broker/redis-broker.ts';
import { SchedulerEntries } from '../broker/scheduler-entries.ts';
import { shareOrOpen } from '../redis/open.ts';
import type { RedisConnOpt } from '../redis/options.ts';
import type { RedisRouter } from '../redis/router.ts';
import { AsynqError } from '../runtime/errors.ts';
import { Nudge } from '../runtime/nudge.ts';
import { within } from '../runtime/within.ts';
import type { SchedulerEntryRecord } from '../wire/scheduler-entry.ts';
import { EntryAnnouncer } from './entry-announcer.ts';
import { optionTexts } from './option-text.ts';
import { mergeOptions, NO_OPTIONS, type TaskOptions } from './options.ts';
import { PeriodicEnqueuer } from './periodic-enqueuer.ts';
import { checkPeriodicTask, identityOf, type PeriodicTask } from './periodic-task.ts';
import {
  type ResolvedSchedulerOptions,
  resolveSchedulerOptions,
  type SchedulerOptions,
} from './scheduler-options.ts';
import type { Task } from './task.ts';
import { type Fire, Timetable } from './timetable.ts';

/** The wall clock may be set while we sleep: look at it at least this often. */
const LOOK_AGAIN_MS = 10_000;

/** A call of Redis gives up after 10 s; a hook may never. */
const ENQUEUES_MS = 15_000;

/** When all enqueues have ended: time to take back what was announced, Redis being there or not. */
const LAST_WORDS_MS = 3_000;

export type SchedulerStatus = 'new' | 'active' | 'closed';

/**
 * Enqueues tasks again and again, each by its cron spec (asynq `Scheduler`).
 *
 * - `new`: entries can be registered, nothing is enqueued
 * - `active`: entries fire (`start`); they can be registered and unregistered still
 * - `closed`: nothing fires any more (`shutdown`); for good
 *
 * An enqueue that fails is reported and not tried again: the next fire is the next try. What was missed while nothing ran
 * is not caught up. Two schedulers with the same entries enqueue everything twice, as Go's do, unless they are told to be
 * `highAvailability`. It installs no signal handlers: whoever has the process decides when to stop.
 *
 * @example
 * const scheduler = new Scheduler({ addrs: ['127.0.0.1:7000'] }, { location: 'Europe/Berlin' });
 * scheduler.register('0 6 * * MON-FRI', new Task('report:daily'), { queue: 'reports' });
 * scheduler.start();
 */
export class Scheduler implements AsyncDisposable {
  readonly #router: RedisRouter;
  /** The connection is of our own making, and ends with us. */
  readonly #isOwner: boolean;
  readonly #options: ResolvedSchedulerOptions;
  readonly #enqueuer: PeriodicEnqueuer;
  readonly #announcer: EntryAnnouncer;
  readonly #entries = new Map<string, PeriodicTask>();
  readonly #timetable = new Timetable();
  readonly #enqueues = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #changed: Nudge;
  #status: SchedulerStatus = 'new';
  #loops: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /**
   * `redis`: where Redis is, or a connection that others use too and that a shutdown leaves open.
   *
   * @throws ASYNQ_CONFIG_INVALID
   */
  constructor(redis: RedisConnOpt | RedisRouter, options: SchedulerOptions = {}) {
    this.#options = resolveSchedulerOptions(options);
    const { clock, log } = this.#options;
    const { router, isOwner } = shareOrOpen(redis, { clock, log });
    this.#router = router;
    this.#isOwner = isOwner;
    const announced = new SchedulerEntries({ router, clock, log });
    const broker = new RedisBroker({ router, clock, log });
    this.#enqueuer = new PeriodicEnqueuer({ broker, announced, options: this.#options });
    this.#announcer = new EntryAnnouncer({
      announced,
      schedulerId: `${hostname()}:${process.pid}:${randomUUID()}`,
      records: () => this.#records(),
      options: this.#options,
    });
    this.#changed = new Nudge(clock);
  }

  get status(): SchedulerStatus {
    return this.#status;
  }

  /**
   * Enqueues the task whenever the spec says, with `options` over those of the task; the id of the entry. With
   * `highAvailability` the same spec, task and options are one entry, however often they are registered.
   *
   * @throws ASYNQ_CRON_SPEC_INVALID, the errors of `Client.enqueue` for a task or options that never could be enqueued,
   * ASYNQ_CLOSED
   */
  register(spec: string, task: Task, options: TaskOptions = NO_OPTIONS): string {
    if (this.#status === 'closed') throw closed();
    const { location, clock, highAvailability } = this.#options;
    const entry = { spec, task, options };
    const parsed = checkPeriodicTask(entry, { location, nowMs: clock.now() });
    const id = highAvailability ? identityOf(entry, location) : randomUUID();
    if (this.#entries.has(id)) return id;
    this.#entries.set(id, entry);
    this.#timetable.add(
      id,
      parsed.kind === 'every' ? { ...parsed, aligned: highAvailability } : parsed,
      clock.now(),
    );
    this.#changed.nudge();
    this.#announcer.nudge();
    return id;
  }

  /** @throws ASYNQ_SCHEDULER_ENTRY_NOT_FOUND */
  unregister(entryId: string): void {
    if (!this.#entries.delete(entryId)) throw new AsynqError('ASYNQ_SCHEDULER_ENTRY_NOT_FOUND');
    this.#timetable.remove(entryId);
    this.#announcer.nudge();
  }

  /**
   * Begins to enqueue what falls due from now on. Redis need not be there yet.
   *
   * @throws ASYNQ_SCHEDULER_STATE, ASYNQ_CLOSED when it was started before
   */
  start(): void {
    if (this.#status === 'closed') throw closed();
    if (this.#status === 'active') {
      throw new AsynqError('ASYNQ_SCHEDULER_STATE', 'asynq: the scheduler is already running');
    }
    this.#status = 'active';
    const { clock, log, location, highAvailability } = this.#options;
    this.#timetable.restart(clock.now());
    this.#loops = Promise.all([this.#fireWhenDue(), this.#announcer.run(this.#stop.signal)]);
    log.info({ location, highAvailability, entries: this.#entries.size }, 'scheduler started');
  }

  /**
   * Fires nothing more, waits for the enqueues that are on their way, and takes back what it announced. Never rejects;
   * harmless when done before. One that was never started only ends its own connection, and with it itself; on a
   * connection that others use too it stays as it is.
   */
  shutdown(): Promise<void> {
    if (this.#status === 'new' && !this.#isOwner) return Promise.resolve();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Resolves when Redis answers, and when the scheduler is closed. */
  ping(): Promise<void> {
    return this.#status === 'closed' ? Promise.resolve() : this.#router.ping();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #close(): Promise<void> {
    const wasActive = this.#status === 'active';
    this.#status = 'closed';
    this.#stop.abort();
    this.#changed.nudge();
    this.#announcer.nudge();
    await this.#within(ENQUEUES_MS, Promise.all([this.#loops, ...this.#enqueues]));
    if (wasActive) await this.#within(LAST_WORDS_MS, this.#announcer.takeBack());
    if (this.#isOwner) await this.#within(LAST_WORDS_MS, this.#router.close());
    if (wasActive) this.#options.log.info({}, 'scheduler closed');
  }

  async #fireWhenDue(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      for (const fire of this.#timetable.take(clock.now())) this.#fire(fire);
      const { next = Number.POSITIVE_INFINITY } = this.#timetable;
      await this.#changed.sleep(Math.min(LOOK_AGAIN_MS, Math.max(0, next - clock.now())));
    }
  }

  #fire({ id, at }: Fire): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const enqueue = this.#enqueuer.enqueue(id, entry, at).finally(() => this.#enqueues.delete(enqueue));
    this.#enqueues.add(enqueue);
  }

  #records(): SchedulerEntryRecord[] {
    return [...this.#entries].map(([id, { spec, task, options }]) => ({
      id,
      spec,
      taskType: task.type,
      taskPayload: task.payload.bytes,
      options: optionTexts(mergeOptions(task.options, options)),
      ...this.#timetable.timesOf(id),
    }));
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await within(ms, work, clock);
    } catch (err) {
      log.warn({ err }, 'a step of the shutdown failed; what it left expires by itself');
    }
  }
}

function closed(): AsynqError {
  return new AsynqError('ASYNQ_CLOSED', 'asynq: the scheduler has already been stopped');
}
