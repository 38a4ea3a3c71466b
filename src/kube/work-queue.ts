import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { DelayQueue } from './delay-queue.ts';
import { Fifo } from './fifo.ts';
import type { KubeObserver } from './observer.ts';
import { TokenBucket } from './token-bucket.ts';

const RETRY: Backoff = { baseMs: 5, capMs: 60_000 };
/** Of all retries together: a thousand keys that fail at once come back spread. */
const RETRIES = { perSecond: 10, burst: 100 };
/** After so many high keys in a row a normal one gets its turn: a flood of edits must not hide the rest for ever. */
const HIGH_IN_A_ROW = 8;

/** `high`: somebody waits for it (an edit); `normal`: all else. */
export type Priority = 'high' | 'normal';

export interface WorkQueueOptions {
  /** As metrics call it. */
  readonly name: string;
  readonly clock: Clock;
  readonly observer?: Pick<
    Required<KubeObserver>,
    'queueAdded' | 'queueTaken' | 'queueDone' | 'queueRetried'
  >;
}

export interface WorkQueueStats {
  readonly ready: number;
  readonly delayed: number;
  readonly processing: number;
  /** Of the key that has been processing longest, milliseconds; 0 when none is. */
  readonly longestRunningMs: number;
}

interface Entry {
  readonly key: string;
  readonly addedAt: number;
  priority: Priority;
}

/**
 * Keys that want work, each at most once: client-go's queue, with two priorities.
 *
 * A key is nowhere, delayed, ready or processing (between `get` and `done`).
 * - `add` makes it ready. While it is processing the wish is remembered, once, and it becomes ready when it is done: no
 *   two workers have the same key, and any number of events makes one run after the last of them.
 * - `addAfter` makes it ready later. A key has one next time, the earliest that was asked for; ready is earlier than any.
 * - `shutDown` is for good: nothing is taken in or handed out any more, what is processing may be done.
 */
export class WorkQueue {
  readonly name: string;
  readonly #clock: Clock;
  readonly #observer: WorkQueueOptions['observer'];
  readonly #delayed: DelayQueue;
  readonly #retries: TokenBucket;
  readonly #failures = new Map<string, number>();
  /** Ready, or wanted again while processing. */
  readonly #wanted = new Map<string, Entry>();
  /** Key -> monotonic time when it was handed out. */
  readonly #processing = new Map<string, number>();
  readonly #lanes: Readonly<Record<Priority, Fifo<Entry>>> = { high: new Fifo(), normal: new Fifo() };
  readonly #waiting = new Set<(key: string | undefined) => void>();
  readonly #idle: (() => void)[] = [];
  #ready = 0;
  #highInARow = 0;
  #isShutDown = false;

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#delayed = new DelayQueue(options.clock, (key) => this.add(key));
    this.#retries = new TokenBucket({ clock: options.clock, ...RETRIES });
  }

  add(key: string, priority: Priority = 'normal'): void {
    if (this.#isShutDown) return;
    this.#delayed.delete(key);
    const known = this.#wanted.get(key);
    if (known === undefined) {
      const entry = { key, priority, addedAt: this.#clock.monotonic() };
      this.#wanted.set(key, entry);
      if (!this.#processing.has(key)) this.#makeReady(entry);
    } else if (known.priority === 'normal' && priority === 'high') {
      known.priority = 'high';
      // Its place in the normal lane is skipped when it comes up.
      if (!this.#processing.has(key)) this.#lanes.high.push(known);
    }
  }

  /** Makes the key ready in `delayMs` milliseconds, unless it is or will be earlier. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown || this.#wanted.has(key)) return;
    if (delayMs <= 0) this.add(key);
    else this.#delayed.add(key, delayMs);
  }

  /**
   * After a failure: again in 5 ms, 10, 20, ... 60 s with each failure in a row, all keys together 10 a second, and not
   * before `leastMs` milliseconds.
   */
  addRateLimited(key: string, leastMs = 0): void {
    if (this.#isShutDown) return;
    const failures = this.retries(key) + 1;
    this.#failures.set(key, failures);
    this.#observer?.queueRetried({ queue: this.name });
    this.addAfter(key, Math.max(leastMs, exponentialMs(failures, RETRY), this.#retries.reserve()));
  }

  /** The key is well: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures in a row. */
  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, which is the caller's alone until `done`; undefined after `shutDown`. */
  get(): Promise<string | undefined> {
    if (this.#isShutDown) return Promise.resolve(undefined);
    const entry = this.#take();
    if (entry !== undefined) return Promise.resolve(entry.key);
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Each key that `get` gave must be given back, whatever became of it. */
  done(key: string): void {
    const takenAt = this.#processing.get(key);
    if (takenAt === undefined) return;
    this.#processing.delete(key);
    this.#observer?.queueDone({ queue: this.name, workedMs: this.#clock.monotonic() - takenAt });
    const wanted = this.#wanted.get(key);
    if (wanted !== undefined) this.#makeReady(wanted);
    if (this.#processing.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Idempotent. */
  shutDown(): void {
    this.#isShutDown = true;
    this.#delayed.clear();
    this.#wanted.clear();
    this.#failures.clear();
    this.#ready = 0;
    for (const resolve of this.#waiting) resolve(undefined);
    this.#waiting.clear();
  }

  /** Resolves when no key is processing. */
  drained(): Promise<void> {
    return this.#processing.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#idle.push(resolve);
        });
  }

  stats(): WorkQueueStats {
    const now = this.#clock.monotonic();
    const oldest = Math.min(now, ...this.#processing.values());
    return {
      ready: this.#ready,
      delayed: this.#delayed.size,
      processing: this.#processing.size,
      longestRunningMs: now - oldest,
    };
  }

  #makeReady(entry: Entry): void {
    this.#lanes[entry.priority].push(entry);
    this.#ready += 1;
    this.#observer?.queueAdded({ queue: this.name, depth: this.#ready });
    const [waiter] = this.#waiting;
    if (waiter === undefined) return;
    this.#waiting.delete(waiter);
    waiter(this.#take()?.key);
  }

  #take(): Entry | undefined {
    const normalFirst = this.#highInARow >= HIGH_IN_A_ROW;
    const entry = normalFirst
      ? (this.#shift('normal') ?? this.#shift('high'))
      : (this.#shift('high') ?? this.#shift('normal'));
    if (entry === undefined) return undefined;
    this.#highInARow = entry.priority === 'high' ? this.#highInARow + 1 : 0;
    const now = this.#clock.monotonic();
    this.#ready -= 1;
    this.#wanted.delete(entry.key);
    this.#processing.set(entry.key, now);
    this.#observer?.queueTaken({ queue: this.name, depth: this.#ready, waitedMs: now - entry.addedAt });
    return entry;
  }

  #shift(lane: Priority): Entry | undefined {
    for (let entry = this.#lanes[lane].shift(); entry !== undefined; entry = this.#lanes[lane].shift()) {
      if (this.#wanted.get(entry.key) === entry && entry.priority === lane) return entry;
    }
    return undefined;
  }
}
