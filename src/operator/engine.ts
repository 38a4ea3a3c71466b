import { Controller } from '../kube/controller.ts';
import type { KubeObserver } from '../kube/observer.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { AsynqQueue, RedisSpec } from './asynq-queue.ts';
import { conflictsOf } from './conflicts.ts';
import { type ConnectionMakers, Connections } from './connections.ts';
import type { Fleet, QueueKey, QueueSource } from './ends.ts';
import { QueueObserver } from './queue-observer.ts';
import { Reconciler, type ReconcilerListener } from './reconciler.ts';
import type { Refusal } from './refusal.ts';
import { lookAheadSeconds } from './start-up.ts';

export interface EngineOptions {
  readonly source: QueueSource;
  readonly fleet: Fleet;
  readonly redis: ConnectionMakers;
  /** Where queues live that do not say. */
  readonly operatorDefault?: RedisSpec;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds from one look at all queues to the next. @default 1000 */
  readonly tickMs?: number;
  readonly listener?: ReconcilerListener;
  readonly observer?: KubeObserver;
  /** Whether this process may (still) write to Redis; the ends know for themselves. @default always */
  readonly mayWrite?: () => boolean;
}

/** What looks get to end once their connections are closed, milliseconds. */
const LOOKS_END_MS = 2_000;

/**
 * What lies between the two ends, `operator` and `dev` alike: looks at all queues once a second, and reconciles each
 * AsynqQueue when there is news of its queue, or when an end says `enqueue`.
 *
 * A run that failed waits for its own backoff: a look at the queue does not bring it forward.
 *
 * States: Idle -> Running -> Stopped. While Idle, keys are collected; so a standby has everything at hand but acts on
 * nothing, and looks at no queue.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #connections: Connections;
  readonly #queues: QueueObserver;
  readonly #reconciler: Reconciler;
  readonly #controller: Controller;
  readonly #failing = new Set<QueueKey>();
  readonly #stop = new AbortController();
  #settledVersion = -1;
  #conflicts: ReadonlyMap<QueueKey, Refusal> = new Map();
  #ticking: Promise<void> | undefined;
  /** Those that go on. */
  readonly #looks = new Set<Promise<void>>();
  #lastTickAt = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { source, fleet, clock, log, listener, observer, mayWrite = () => true } = options;
    this.#connections = new Connections(options.redis);
    this.#queues = new QueueObserver({
      source,
      connections: this.#connections,
      operatorDefault: options.operatorDefault,
      clock,
      log,
      onSeen: (keys) => this.#seen(keys),
    });
    this.#reconciler = new Reconciler({
      source,
      fleet,
      sight: (queue) => this.#queues.sight(queue),
      conflict: (key) => this.#conflicts.get(key),
      mayWrite,
      clock,
      log,
      ...(listener && { listener }),
    });
    this.#controller = new Controller({
      name: 'asynqqueue',
      reconcile: (key) => this.#reconcile(key),
      clock,
      workers: 8,
      log,
      ...(observer && { observer }),
    });
  }

  /** Monotonic milliseconds of the last look that began; -Infinity: none yet. */
  get lastTickAt(): number {
    return this.#lastTickAt;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Something of this AsynqQueue changed. `high`: somebody waits for it. */
  enqueue(key: QueueKey, priority?: 'high' | 'normal'): void {
    this.#controller.enqueue(key, priority);
  }

  /** Idempotent. After `stop` it does nothing. */
  start(): void {
    if (this.#stop.signal.aborted) return;
    this.#controller.start();
    this.#ticking ??= this.#tick(this.#stop.signal);
  }

  /**
   * Ends looking, lets runs end (those that take longer than `drainMs` milliseconds are aborted), closes the connections.
   * A look that then goes on opens none.
   * Idempotent. @default drainMs 20000
   */
  async stop(drainMs?: number): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
    await this.#controller.stop(drainMs);
    await this.#connections.close();
    await this.#looksEnd();
  }

  async #looksEnd(): Promise<void> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(LOOKS_END_MS, done.signal);
    await Promise.race([Promise.all(this.#looks), late]);
    this.#looks.clear();
    done.abort();
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { fleet, clock, tickMs = 1_000 } = this.#options;
    while (!signal.aborted) {
      this.#lastTickAt = clock.monotonic();
      // Not waited for: masters answer each in its own time.
      const look = this.#queues.look(this.#present(), (queue) => lookAheadSeconds(fleet.state(queue)));
      this.#looks.add(look);
      void look.then(() => this.#looks.delete(look));
      await clock.sleep(Math.max(0, this.#lastTickAt + tickMs - clock.monotonic()), signal);
    }
  }

  #seen(keys: readonly QueueKey[]): void {
    if (this.#stop.signal.aborted) return;
    this.#settleConflicts();
    for (const key of keys) {
      if (!this.#failing.has(key) && !this.#reconciler.letRest(key)) this.#controller.enqueue(key);
    }
  }

  #settleConflicts(): void {
    const { claimsVersion } = this.#queues;
    if (claimsVersion === this.#settledVersion) return;
    this.#settledVersion = claimsVersion;
    const before = this.#conflicts;
    this.#conflicts = conflictsOf(this.#present().map((queue) => this.#queues.claim(queue)));
    for (const key of new Set([...before.keys(), ...this.#conflicts.keys()])) {
      if (before.get(key)?.message !== this.#conflicts.get(key)?.message) this.#controller.enqueue(key);
    }
  }

  #present(): readonly AsynqQueue[] {
    return this.#options.source.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  async #reconcile(key: QueueKey): Promise<undefined> {
    try {
      await this.#reconciler.reconcile(key);
      this.#failing.delete(key);
    } catch (error) {
      this.#failing.add(key);
      throw error;
    }
  }
}
