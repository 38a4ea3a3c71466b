import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';

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

  /** The subscription reconnects by itself; should it not come about, it is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { broker, clock, log, onCancel } = this.#parts;
    for (let listens = false; !listens && !signal.aborted; ) {
      try {
        await broker.subscribeCancel(onCancel, signal);
        listens = true;
      } catch (err) {
        log.error({ err }, 'cannot subscribe to cancellations');
        await clock.sleep(RETRY_MS, signal);
      }
    }
    await aborted(signal);
  }
}
