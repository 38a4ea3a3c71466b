import type { Broker, LeasedTask, Settlement } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';
import { LEASE_GRACE_SECONDS } from '../wire/limits.ts';

/** Go's looks each 60 s; a look costs one range over the leases, a crash costs its tasks the wait for it. */
const INTERVAL_MS = 15_000;

export interface RecovererParts {
  readonly broker: Pick<Broker, 'listLeaseExpired' | 'settle'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: readonly string[];
  /** Judges an attempt that ended without a word. */
  readonly judge: (task: LeasedTask) => Settlement;
}

/**
 * Brings back tasks whose worker died: those whose lease ended half a minute ago are retried or archived, as if their
 * handler had failed with ASYNQ_LEASE_EXPIRED. Every server does it for its queues; of two that find the same task, one
 * writes.
 */
export class Recoverer {
  readonly #parts: RecovererParts;

  constructor(parts: RecovererParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, queues } = this.#parts;
    const failure = 'cannot recover tasks with ended leases';
    const loops = queues.map((queue) =>
      periodically(
        { clock, log: log.child({ queue }), intervalMs: INTERVAL_MS, firstRun: 'at once', failure },
        () => this.#recover(queue),
        signal,
      ),
    );
    await Promise.all(loops);
  }

  async #recover(queue: string): Promise<void> {
    const { broker, clock, judge, log } = this.#parts;
    const tasks = await broker.listLeaseExpired(queue, clock.now() - LEASE_GRACE_SECONDS * 1000);
    const recover = async (task: LeasedTask) => {
      const settlement = judge(task);
      const written = await broker.settle(task, settlement);
      if (written)
        log.warn({ queue, taskId: task.id, outcome: settlement.kind }, 'recovered a task of a lost worker');
    };
    await Promise.all(tasks.map(recover));
  }
}
