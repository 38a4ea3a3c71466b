import type { Broker, LeasedTask, Settlement } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';
import { LEASE_GRACE_SECONDS } from '../wire/limits.ts';
import type { QueueSet } from './queue-set.ts';

/** Go's looks each 60 s; a look costs a range over the leases and one over the sets, a crash costs its tasks the wait for it. */
const LONGEST_INTERVAL_MS = 15_000;

export interface RecovererParts {
  readonly broker: Pick<Broker, 'listLeaseExpired' | 'returnStaleSets'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: QueueSet;
  /** Milliseconds that this server's own leases last. */
  readonly leaseDuration: number;
  /** Judges an attempt that ended without a word; tells the user's error handler. */
  readonly judge: (task: LeasedTask) => Settlement;
  /** Writes an outcome, as long as it takes while our lease on the task stands. */
  readonly settle: (task: LeasedTask, settlement: Settlement) => void;
}

/**
 * Brings back what dead servers held. Tasks whose lease ended a while ago are retried or archived, as if their handler
 * had failed with ASYNQ_LEASE_EXPIRED; aggregation sets whose time is over go back to their groups.
 *
 * Every server does it for its queues, and of those that find the same task one gets it: a lost task is claimed with a
 * lease of our own before it is judged, so that the error handler hears of it once. A server that dies between the two
 * leaves it to the next look after that lease.
 *
 * The while is as long as a lease, half a minute at most: time for the clocks of servers to differ.
 */
export class Recoverer {
  readonly #parts: RecovererParts;

  constructor(parts: RecovererParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, leaseDuration, queues } = this.#parts;
    const intervalMs = Math.min(LONGEST_INTERVAL_MS, leaseDuration / 2);
    const failure = 'cannot recover what dead servers held';
    const recover = (queue: string, ending: AbortSignal) =>
      periodically(
        { clock, log: log.child({ queue }), intervalMs, firstRun: 'at once', failure },
        () => this.#recover(queue),
        ending,
      );
    await queues.each(recover, signal);
  }

  async #recover(queue: string): Promise<void> {
    const { broker, clock, judge, leaseDuration, log, settle } = this.#parts;
    const graceMs = Math.min(LEASE_GRACE_SECONDS * 1000, leaseDuration);
    for (const task of await broker.listLeaseExpired(queue, clock.now() - graceMs)) {
      const settlement = judge(task);
      log.warn({ queue, taskId: task.id, outcome: settlement.kind }, 'recovering a task of a lost worker');
      settle(task, settlement);
    }
    const tasks = await broker.returnStaleSets(queue);
    if (tasks > 0) log.warn({ queue, tasks }, 'gave tasks of a lost aggregation back to their group');
  }
}
