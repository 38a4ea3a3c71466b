import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from '../runtime/periodic.ts';
import type { QueueSet } from './queue-set.ts';

export interface JanitorParts {
  readonly broker: Pick<Broker, 'deleteExpiredCompleted'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: QueueSet;
  readonly intervalMs: number;
  /** Tasks deleted by one script. */
  readonly batchSize: number;
}

/** Deletes completed tasks whose retention is over. */
export class Janitor {
  readonly #parts: JanitorParts;

  constructor(parts: JanitorParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, queues, intervalMs } = this.#parts;
    const failure = 'cannot delete completed tasks';
    const clean = (queue: string, ending: AbortSignal) =>
      periodically(
        { clock, log: log.child({ queue }), intervalMs, firstRun: 'after one interval', failure },
        () => this.#clean(queue, ending),
        ending,
      );
    await queues.each(clean, signal);
  }

  async #clean(queue: string, signal: AbortSignal): Promise<void> {
    const { broker, batchSize } = this.#parts;
    let deleted = batchSize;
    while (deleted >= batchSize && !signal.aborted)
      deleted = await broker.deleteExpiredCompleted(queue, batchSize);
  }
}
