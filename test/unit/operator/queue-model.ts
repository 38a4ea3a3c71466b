import type { QueueLimits } from '../../../src/broker/queue-limits.ts';
import type { QueueReading } from '../../../src/broker/queue-reader.ts';
import type { FleetState } from '../../../src/operator/ends.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { fleetOf, snapshotOf } from './builders.ts';

/** What happens to a queue, with times in seconds from the start. Nothing in it is random. */
export interface Load {
  readonly seconds: number;
  /** How long a task takes. */
  readonly taskSeconds: number;
  /** How long a worker takes to become ready. */
  readonly startUpSeconds: number;
  readonly slots: number;
  readonly enqueued?: readonly Span[];
  /** So many tasks, scheduled from the start for then. */
  readonly scheduled?: readonly { readonly at: number; readonly tasks: number }[];
  readonly unreachable?: readonly Span[];
  readonly paused?: readonly Span[];
  /** Workers never become ready before this. */
  readonly crashLoopUntil?: number;
  readonly limits?: QueueLimits;
}

interface Span {
  readonly from: number;
  readonly to: number;
  /** Tasks in each second. */
  readonly perSecond?: number;
}

const STEPS_PER_SECOND = 10;

/** A queue, its workers and the clock: as much of them as a decision can see, in steps of a tenth of a second. */
export class QueueModel {
  readonly #load: Load;
  #step = 0;
  /** Steps at which the waiting tasks came, oldest first; at which the running ones end; at which workers are ready. */
  #waiting: number[] = [];
  #running: number[] = [];
  #workers: number[] = [];
  #owed = 0;
  #processed = 0;
  /** Starts that the rate allows now. */
  #earned = 1;
  #lastScaleUp: number | undefined;

  constructor(load: Load) {
    this.#load = load;
  }

  get second(): number {
    return this.#step / STEPS_PER_SECOND;
  }

  get processed(): number {
    return this.#processed;
  }

  advanceOneSecond(): void {
    for (let i = 0; i < STEPS_PER_SECOND; i++) this.#advance();
  }

  scale(replicas: number): void {
    const before = this.#workers.length;
    if (replicas > before) this.#lastScaleUp = this.#step;
    this.#workers = this.#workers.slice(0, replicas);
    const ready = this.#step + this.#load.startUpSeconds * STEPS_PER_SECOND;
    while (this.#workers.length < replicas) this.#workers.push(ready);
    const places = this.#ready() * this.#load.slots;
    const returned = this.#running.splice(places).map(() => this.#step);
    this.#waiting.push(...returned);
  }

  reading(): QueueReading {
    if (this.#within(this.#load.unreachable)) {
      return { kind: 'unknown', error: new AsynqError('ASYNQ_REDIS_UNREACHABLE') };
    }
    const oldest = this.#waiting[0];
    const later = (this.#load.scheduled ?? []).filter(({ at }) => at > this.second);
    const soon = later.filter(({ at }) => at <= this.second + this.#load.startUpSeconds);
    const snapshot = snapshotOf({
      at: this.second * 1000,
      paused: this.#within(this.#load.paused),
      size: {
        pending: this.#waiting.length,
        active: this.#running.length,
        scheduled: later.reduce((sum, { tasks }) => sum + tasks, 0),
      },
      soon: soon.reduce((sum, { tasks }) => sum + tasks, 0),
      latencySeconds: oldest === undefined ? 0 : (this.#step - oldest) / STEPS_PER_SECOND,
      processed: this.#processed,
      ...(this.#load.limits && { limits: { ...this.#load.limits, owner: 'hand', started: 0 } }),
    });
    return { kind: 'known', snapshot };
  }

  fleet(): FleetState {
    const replicas = this.#workers.length;
    const readyReplicas = this.#ready();
    const stuck = replicas > 0 && readyReplicas === 0 && this.#lastScaleUp !== undefined;
    return fleetOf({
      replicas,
      readyReplicas,
      startupSeconds: [this.#load.startUpSeconds],
      ...(stuck ? { notReadySince: ((this.#lastScaleUp ?? 0) / STEPS_PER_SECOND) * 1000 } : {}),
    });
  }

  #advance(): void {
    this.#step++;
    const ended = this.#running.filter((end) => end <= this.#step).length;
    this.#running = this.#running.filter((end) => end > this.#step);
    this.#processed += ended;
    for (const { from, to, perSecond = 0 } of this.#load.enqueued ?? []) {
      if (this.second > from && this.second <= to) this.#owed += perSecond / STEPS_PER_SECOND;
    }
    for (const { at, tasks } of this.#load.scheduled ?? []) if (this.second === at) this.#owed += tasks;
    const whole = Math.floor(this.#owed + 1e-9);
    this.#owed -= whole;
    for (let i = 0; i < whole; i++) this.#waiting.push(this.#step);
    if (this.#within(this.#load.paused)) return;
    const { slots, taskSeconds, limits: { concurrency, ratePerSecond } = {} } = this.#load;
    const places = Math.min(this.#ready() * slots, concurrency ?? Number.POSITIVE_INFINITY);
    const earned = this.#earned + (ratePerSecond ?? Number.POSITIVE_INFINITY) / STEPS_PER_SECOND;
    const startable = Math.floor(Math.min(places - this.#running.length, earned));
    const end = this.#step + taskSeconds * STEPS_PER_SECOND;
    const started = this.#waiting.splice(0, Math.max(0, startable)).map(() => end);
    this.#running.push(...started);
    this.#earned = Math.min(earned - started.length, 1 + (ratePerSecond ?? 0) / STEPS_PER_SECOND);
  }

  #ready(): number {
    if (this.second < (this.#load.crashLoopUntil ?? 0)) return 0;
    return this.#workers.filter((readyAt) => readyAt <= this.#step).length;
  }

  #within(spans: readonly Span[] | undefined): boolean {
    return (spans ?? []).some(({ from, to }) => this.second >= from && this.second < to);
  }
}
