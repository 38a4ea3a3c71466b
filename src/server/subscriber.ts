import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { periodically } from './periodic.ts';

const RETRY_MS = 5_000;

export interface SubscriberParts {
  readonly broker: Pick<Broker, 'subscribeCancel'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCancel: (taskId: string) => void;
}

/** Hears which tasks are to be cancelled. */
export class Subscriber {
  readonly #parts: SubscriberParts;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
  }

  /** The subscription reconnects by itself; should it fail for good, it is made again. */
  async run(signal: AbortSignal): Promise<void> {
    const { broker, clock, log, onCancel } = this.#parts;
    const failure = 'cannot subscribe to cancellations';
    const listen = () => broker.subscribeCancel(onCancel, signal);
    await periodically({ clock, log, intervalMs: RETRY_MS, firstRun: 'at once', failure }, listen, signal);
  }
}
