import type { Broker, LeasedTask, Settlement } from '../broker/broker.ts';
import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import type { Logger } from '../runtime/logger.ts';
import { Nudge } from '../runtime/nudge.ts';
import type { TaskOutcome } from './config.ts';

const RETRY: Backoff = { baseMs: 100, capMs: 5_000 };

/** Nothing failed: look again when nudged, or after this. */
const IDLE_MS = 60_000;

export interface SyncerParts {
  readonly broker: Pick<Broker, 'settle'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** An outcome was written, or is lost with its lease. */
  readonly onSettled: (task: LeasedTask, outcome: TaskOutcome) => void;
}

/**
 * Writes outcomes to Redis. What cannot be written is tried again, each time as a call of its own, so that work that is
 * done is not done twice because Redis was away for a moment. It is given up when the lease has ended: from then on
 * another server may have the task, and the recoverer brings it back. Nobody extends the lease meanwhile, so an outcome
 * that Redis refuses for good is given up too.
 *
 * States: idle -> retrying (something failed, backing off) -> idle; `run` ends when its signal aborts, and gives up what
 * is left then: `flush` before that makes the last attempt.
 */
export class Syncer {
  readonly #broker: SyncerParts['broker'];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #throttle: LogThrottle;
  readonly #onSettled: SyncerParts['onSettled'];
  readonly #failed = new Map<LeasedTask, Settlement>();
  readonly #nudge: Nudge;
  #inFlight = 0;
  #landed: PromiseWithResolvers<void> | undefined;

  constructor(parts: SyncerParts) {
    this.#broker = parts.broker;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
    this.#onSettled = parts.onSettled;
    this.#nudge = new Nudge(parts.clock);
  }

  settle(task: LeasedTask, settlement: Settlement): void {
    if (task.leaseExpiresAt <= this.#clock.now()) return this.lose(task);
    void this.#write(task, settlement);
  }

  /** Writes nothing: the lease has ended, and the task is another's. */
  lose(task: LeasedTask): void {
    this.#log.warn({ queue: task.queue, taskId: task.id }, 'the lease was lost: the outcome is not written');
    this.#onSettled(task, 'lost');
  }

  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#nudge.nudge();
    signal.addEventListener('abort', wake, { once: true });
    for (let failures = 0; !signal.aborted; ) {
      if (this.#failed.size === 0) {
        failures = 0;
        await this.#nudge.sleep(IDLE_MS);
      } else {
        failures++;
        await this.#clock.sleep(exponentialMs(failures, RETRY), signal);
        if (!signal.aborted) await this.#retryFailed();
      }
    }
    for (const task of this.#failed.keys()) this.lose(task);
  }

  /** Resolves when no write is in flight. */
  async quiet(): Promise<void> {
    if (this.#inFlight === 0) return;
    this.#landed ??= Promise.withResolvers();
    await this.#landed.promise;
  }

  /** Waits for what is in flight, and tries what failed once more. */
  async flush(): Promise<void> {
    await this.quiet();
    await this.#retryFailed();
  }

  async #retryFailed(): Promise<void> {
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const [task, settlement] of failed) this.settle(task, settlement);
    await this.quiet();
  }

  async #write(task: LeasedTask, settlement: Settlement): Promise<void> {
    this.#inFlight++;
    try {
      const written = await this.#broker.settle(task, settlement);
      if (written) this.#onSettled(task, settlement.kind);
      else this.lose(task);
    } catch (err) {
      this.#failed.set(task, settlement);
      this.#throttle.error({ err, queue: task.queue, taskId: task.id }, 'cannot write an outcome yet');
      this.#nudge.nudge();
    } finally {
      this.#land();
    }
  }

  #land(): void {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    this.#landed?.resolve();
    this.#landed = undefined;
  }
}
