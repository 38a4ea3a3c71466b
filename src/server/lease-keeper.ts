import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { LogThrottle } from '../runtime/log-throttle.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';
import type { ActiveTask } from './active-task.ts';
import { BEAT_MS } from './heartbeater.ts';
import type { Processor } from './processor.ts';

export interface LeaseKeeperParts {
  readonly broker: Pick<Broker, 'extendLeases'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly processor: Pick<Processor, 'tasks' | 'leaseLost'>;
  /** Milliseconds that a lease lasts. */
  readonly leaseDuration: number;
}

/**
 * Keeps the leases of the tasks in hand alive, several times in the length of one, and lets go of those that ended all the same (Redis was
 * away for too long, or this process was): from then on another server may run the task.
 */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #throttle: LogThrottle;
  /** By queue: one whose master hangs must not cost the leases of another. */
  readonly #extending = new Map<string, Promise<void>>();

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, leaseDuration } = this.#parts;
    const intervalMs = Math.min(BEAT_MS, leaseDuration / 3);
    const failure = 'cannot keep leases';
    // Not awaited by the beat: a call that hangs must not keep ended leases from being seen.
    const beat = () => {
      for (const [queue, tasks] of Map.groupBy(this.#letGoOfEnded(), (task) => task.queue)) {
        if (!this.#extending.has(queue)) this.#extending.set(queue, this.#extend(queue, tasks));
      }
    };
    await periodically({ clock, log, intervalMs, firstRun: 'after one interval', failure }, beat, signal);
    await Promise.all(this.#extending.values());
  }

  /** Returns those whose lease stands. */
  #letGoOfEnded(): ActiveTask[] {
    const { clock, processor } = this.#parts;
    const now = clock.now();
    const held = [...processor.tasks].filter((task) => task.isHeld);
    const ended = held.filter((task) => task.leased.leaseExpiresAt <= now);
    for (const task of ended) processor.leaseLost(task);
    return held.filter((task) => task.leased.leaseExpiresAt > now);
  }

  async #extend(queue: string, tasks: readonly ActiveTask[]): Promise<void> {
    try {
      await this.#parts.broker.extendLeases(tasks.map((task) => task.leased));
    } catch (err) {
      this.#throttle.error({ err, queue, tasks: tasks.length }, 'cannot extend leases');
    } finally {
      this.#extending.delete(queue);
    }
  }
}
