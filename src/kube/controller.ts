import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { Deadline } from './deadline.ts';
import { isConflict, isKubeError, KubeError } from './kube-error.ts';
import { guarded, type KubeObserver, type ReconcileResult } from './observer.ts';
import { type Priority, WorkQueue, type WorkQueueStats } from './work-queue.ts';

/** When to look at the key again, if nothing else happens. */
export interface Result {
  readonly requeueAfterMs?: number;
}

/**
 * Makes the world be what the object of `key` says; knows neither what happened nor how often. Reads caches, may be run
 * again at any time, and stops when `signal` aborts.
 *
 * What it throws decides: TerminalError: not again until something changes; a conflict: again at once; anything else:
 * again with growing delay. An error beats a result.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Result | undefined>;

/** Trying again cannot help: what the user wrote has to change. */
export class TerminalError extends Error {
  override readonly name: string = 'TerminalError';
}

export interface ControllerOptions {
  /** As metrics and logs call it. */
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  /** Keys that are worked on at the same time. @default 4 */
  readonly workers?: number;
  /** A run that takes longer is aborted and counts as failed, milliseconds. @default 120000 */
  readonly timeoutMs?: number;
  readonly log?: Logger;
  readonly observer?: KubeObserver;
}

/** Conflicts in a row that are answered at once; beyond, somebody else writes all the time and we go slower. */
const CONFLICTS_AT_ONCE = 3;
/** What a run gets to end after its signal aborted, before `stop` leaves it behind. */
const ABORT_GRACE_MS = 5_000;

/**
 * Workers over a work queue.
 *
 * States: Idle -> Running -> Stopping -> Stopped. Keys may be added while Idle: a standby replica collects them, each
 * once, and starts when it is elected. Whatever a reconcile throws is caught here and reported; a worker never dies.
 */
export class Controller {
  readonly name: string;
  readonly #reconcile: Reconcile;
  readonly #clock: Clock;
  readonly #queue: WorkQueue;
  readonly #workerCount: number;
  readonly #timeoutMs: number;
  readonly #log: Logger;
  readonly #observer: Required<KubeObserver>;
  readonly #abort = new AbortController();
  readonly #conflicts = new Map<string, number>();
  #state: 'Idle' | 'Running' | 'Stopping' | 'Stopped' = 'Idle';
  #stopped: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    const { name, reconcile, clock, workers = 4, timeoutMs = 120_000, log = silentLogger } = options;
    if (!Number.isInteger(workers) || workers < 1) {
      throw new RangeError(`expected workers to be a whole number of at least 1, got ${workers}`);
    }
    this.name = name;
    this.#reconcile = reconcile;
    this.#clock = clock;
    this.#workerCount = workers;
    this.#timeoutMs = timeoutMs;
    this.#log = log.child({ controller: name });
    this.#observer = guarded(options.observer, this.#log);
    this.#queue = new WorkQueue({ name, clock, observer: this.#observer });
  }

  get state(): 'Idle' | 'Running' | 'Stopping' | 'Stopped' {
    return this.#state;
  }

  /** Asks for a run of `key`. */
  enqueue(key: string, priority?: Priority): void {
    this.#queue.add(key, priority);
  }

  /** Asks for a run of `key` in `delayMs` milliseconds, unless one comes earlier. */
  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  queueStats(): WorkQueueStats {
    return this.#queue.stats();
  }

  /** Idempotent. After `stop` it does nothing. */
  start(): void {
    if (this.#state !== 'Idle') return;
    this.#state = 'Running';
    for (let n = 0; n < this.#workerCount; n++) void this.#work();
  }

  /**
   * Takes no key any more and waits for those in work; after `drainMs` milliseconds their signal aborts. Resolves when
   * all have ended, or `ABORT_GRACE_MS` later. Idempotent. @default drainMs 20000
   */
  stop(drainMs = 20_000): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#state = 'Stopping';
    this.#queue.shutDown();
    if (!(await this.#drained(drainMs))) {
      this.#abort.abort(new Error(`the controller ${this.name} was stopped`));
      if (!(await this.#drained(ABORT_GRACE_MS))) {
        this.#log.error(this.#queue.stats(), 'stopped while a reconcile ignores its signal');
      }
    }
    this.#abort.abort(new Error(`the controller ${this.name} was stopped`));
    this.#state = 'Stopped';
  }

  async #drained(withinMs: number): Promise<boolean> {
    const over = new AbortController();
    const drained = this.#queue.drained().then(() => true);
    const late = this.#clock.sleep(withinMs, over.signal).then(() => false);
    try {
      return await Promise.race([drained, late]);
    } finally {
      over.abort();
    }
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      const begun = this.#clock.monotonic();
      const result = await this.#run(key);
      this.#observer.reconciled({
        controller: this.name,
        result,
        durationMs: this.#clock.monotonic() - begun,
      });
      this.#queue.done(key);
    }
  }

  async #run(key: string): Promise<ReconcileResult> {
    using limit = new Deadline(this.#clock, this.#timeoutMs, this.#abort.signal, () => {
      return new KubeError('ASYNQ_KUBE_TIMEOUT', `the run of ${key} took longer than ${this.#timeoutMs} ms`);
    });
    try {
      const result = await this.#reconcile(key, limit.signal);
      this.#queue.forget(key);
      this.#conflicts.delete(key);
      if (result?.requeueAfterMs === undefined) return 'success';
      this.#queue.addAfter(key, result.requeueAfterMs);
      return 'requeue_after';
    } catch (error) {
      return this.#failed(key, error);
    }
  }

  #failed(key: string, error: unknown): ReconcileResult {
    if (this.#abort.signal.aborted) return 'aborted';
    if (error instanceof TerminalError) {
      this.#queue.forget(key);
      this.#conflicts.delete(key);
      this.#log.warn({ err: error, key }, 'reconcile failed, and will until something changes');
      return 'terminal';
    }
    if (isConflict(error)) {
      const conflicts = (this.#conflicts.get(key) ?? 0) + 1;
      this.#conflicts.set(key, conflicts);
      if (conflicts <= CONFLICTS_AT_ONCE) this.#queue.add(key);
      else this.#queue.addRateLimited(key);
      return 'conflict';
    }
    this.#queue.addRateLimited(key, isKubeError(error) ? error.retryAfterMs : 0);
    const retries = this.#queue.retries(key);
    this.#log.error({ err: error, key, retries }, `reconcile failed, trying again: ${errorText(error)}`);
    return 'error';
  }
}
